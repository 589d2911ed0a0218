package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3Server is a real S3 server with one bucket.
type s3Server struct {
	addr string
	cmd  *exec.Cmd
}

const s3Key, s3Secret, s3Bucket = "e2e-access", "e2e-secret-key", "backups"

func findVersitygw(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"../bin/versitygw", "versitygw"} {
		if path, err := exec.LookPath(name); err == nil {
			path, err = filepath.Abs(path)
			if err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	t.Fatal("no versitygw: `make deps` builds it")
	return ""
}

func startS3(t *testing.T) *s3Server {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"data", "iam", "versions"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	s := &s3Server{addr: addr}
	s.cmd = exec.Command(findVersitygw(t), "--port", addr, "--access", s3Key, "--secret", s3Secret,
		"--iam-dir", filepath.Join(dir, "iam"), "--quiet", "posix", "--versioning-dir", filepath.Join(dir, "versions"), filepath.Join(dir, "data"))
	var log bytes.Buffer
	s.cmd.Stdout, s.cmd.Stderr = &log, &log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	eventually(t, 10*time.Second, "the S3 server answers", func() bool {
		resp, err := http.Get("http://" + addr + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	c, err := minio.New(addr, &minio.Options{Creds: credentials.NewStaticV4(s3Key, s3Secret, "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MakeBucket(context.Background(), s3Bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return s
}

func (s *s3Server) stop() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// The main job with the vault in a bucket, and with the store gone.
func TestS3(t *testing.T) {
	t.Parallel()
	s := startS3(t)
	h := bareHome(t)
	h.env = append(h.env, "AWS_ACCESS_KEY_ID="+s3Key, "AWS_SECRET_ACCESS_KEY="+s3Secret)
	url := fmt.Sprintf("s3://%s/%s/site1", s.addr, s3Bucket)
	made := h.must("init", "--store", url, "--s3-insecure", "--json")
	d := h.newSwitch("a")
	h.must("backup", "a")
	before := d.Running()
	d.FactoryReset()
	h.must("restore", "a", "--yes")
	if got := d.Running(); got != before {
		t.Errorf("restored from a bucket:\n%s", got)
	}
	h.must("check", "--read-data")
	h.must("vault", "info")

	// A bare machine begins again from store, identity and root key.
	bare := *h
	bare.dir = h.dir + "-bare"
	var created struct{ Root, Recovery string }
	decode(t, made.out, &created)
	recovery := h.secretFile("recovery.txt", created.Recovery)
	bare.must("recover", "--store", url, "--s3-insecure", "--root", created.Root, "-i", recovery)
	bare.must("-i", recovery, "show", "a")
	bare.must("backup", "a")

	// The wrong key: nothing is touched.
	wrong := *h
	wrong.env = append([]string{}, h.env...)
	wrong.env = append(wrong.env, "AWS_SECRET_ACCESS_KEY=wrong")
	logins := d.Logins()
	if r := wrong.run("backup", "a"); r.code != 1 {
		t.Errorf("backup with a wrong key: %d\n%s", r.code, r.err)
	}
	s.stop()
	if r := h.run("backup", "a"); r.code != 10 {
		t.Errorf("backup without a store: %d\n%s", r.code, r.err)
	}
	if d.Logins() != logins {
		t.Error("a device was touched although the store cannot be written")
	}
}
