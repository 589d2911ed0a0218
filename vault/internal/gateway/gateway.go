// Package gateway starts a real S3 server (versitygw) for tests, on a socket
// in a temporary folder. It is for tests only.
package gateway

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/cfgvault/cfgvault/vault/s3"
)

const (
	endpoint  = "127.0.0.1:80" // never dialled: requests go to the socket
	rootKey   = "testroot"
	rootWord  = "testrootsecret"
	userKey   = "putonly" // a user without rights of his own
	userWord  = "putonlysecret"
	startWait = 20 * time.Second
)

// Gateway is a running S3 server.
type Gateway struct {
	t         testing.TB
	binary    string
	socket    string
	transport *http.Transport
	Admin     *minio.Client // with all rights
}

// Start starts a server that keeps versions; it ends with the test.
func Start(t testing.TB) *Gateway {
	t.Helper()
	// A socket's path may have 108 bytes only, so not in t.TempDir.
	dir, err := os.MkdirTemp("", "gw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, d := range []string{"iam", "data", "versions"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	users := `{"accessAccounts":{"` + userKey + `":{"access":"` + userKey + `","secret":"` + userWord + `","role":"user"}}}`
	if err := os.WriteFile(filepath.Join(dir, "iam", "users.json"), []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &Gateway{t: t, binary: find(t), socket: filepath.Join(dir, "s")}
	cmd := exec.Command(g.binary, "--port", g.socket, "--access", rootKey, "--secret", rootWord,
		"--iam-dir", filepath.Join(dir, "iam"), "--quiet",
		"posix", "--versioning-dir", filepath.Join(dir, "versions"), filepath.Join(dir, "data"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	g.transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", g.socket)
		},
		MaxIdleConnsPerHost: 64,
	}
	t.Cleanup(g.transport.CloseIdleConnections)
	g.ready()
	g.Admin, err = minio.New(endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(rootKey, rootWord, ""), Region: "us-east-1", Transport: g.transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *Gateway) ready() {
	g.t.Helper()
	deadline := time.Now().Add(startWait)
	for {
		c, err := net.Dial("unix", g.socket)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			g.t.Fatalf("versitygw does not answer: %v", err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// find returns the server that make deps built below the module's root, else
// one in PATH.
func find(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "bin", "versitygw")
	if _, err := os.Stat(p); err == nil {
		return p
	}
	p, err = exec.LookPath("versitygw")
	if err != nil {
		t.Fatalf("versitygw is not installed (make deps does it): %v", err)
	}
	return p
}

// Bucket makes a bucket and returns options to open it with all rights.
func (g *Gateway) Bucket(name string) s3.Options {
	g.t.Helper()
	if err := g.Admin.MakeBucket(g.t.Context(), name, minio.MakeBucketOptions{}); err != nil {
		g.t.Fatal(err)
	}
	return s3.Options{
		Endpoint: endpoint, Bucket: name, Prefix: "vaults/one", Insecure: true,
		AccessKey: rootKey, SecretKey: rootWord, Transport: g.transport,
	}
}

// PutOnly lets a user create objects in the bucket and nothing else, and returns
// options to open it as that user.
func (g *Gateway) PutOnly(o s3.Options) s3.Options {
	g.t.Helper()
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["` + userKey + `"]},` +
		`"Action":["s3:PutObject"],"Resource":["arn:aws:s3:::` + o.Bucket + `/*"]}]}`
	if err := g.Admin.SetBucketPolicy(g.t.Context(), o.Bucket, policy); err != nil {
		g.t.Fatal(err)
	}
	o.AccessKey, o.SecretKey = userKey, userWord
	return o
}
