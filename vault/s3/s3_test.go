package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/internal/gateway"
	"github.com/cfgvault/cfgvault/vault/s3"
)

func open(t *testing.T, o s3.Options) *s3.Store {
	t.Helper()
	s, err := s3.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// night backs up one device and returns its entry.
func night(t *testing.T, c vault.Config, text string) vault.Entry {
	t.Helper()
	v, err := vault.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Begin(t.Context(), vault.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Put(t.Context(), &vault.Snapshot{Device: "dev", Verdict: vault.Complete,
		Files: []vault.File{{Name: "running-config", Kind: vault.Native, Data: []byte(text)}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestPutOnlyHolder: an agent that may only create backs up; then whoever stole
// its credentials overwrites what he can, which a put-only policy allows.
// Readers find the version that the signed record names.
func TestPutOnlyHolder(t *testing.T) {
	g := gateway.Start(t)
	all := g.Bucket("vault")
	if err := g.Admin.EnableVersioning(t.Context(), all.Bucket); err != nil {
		t.Fatal(err)
	}
	put := g.PutOnly(all)
	c := vault.Config{Dir: filepath.Join(t.TempDir(), "home"), Store: open(t, all)}
	made, err := vault.Create(t.Context(), c, vault.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	agent := c
	agent.Store = open(t, put)
	if _, err := agent.Store.Get(t.Context(), "vault.json", 1000); !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("the put-only user may read: %v", err)
	}
	one := night(t, agent, "one")
	two := night(t, agent, "two")

	ids, err := vault.ParseIdentities([]byte(made.Identity), nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	thief := client(t, put)
	for _, e := range []vault.Entry{one, two} {
		for _, junk := range [][]byte{[]byte("junk"), bytes.Repeat([]byte{0}, 1<<20), bytes.Repeat([]byte{1}, int(e.Size))} {
			for _, key := range []string{e.Object, e.Run} {
				if key == "" {
					continue
				}
				overwrite(t, thief, put, key, junk)
			}
		}
	}
	x, err := v.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range x.Snapshots("dev") {
		overwrite(t, thief, put, e.Run, []byte("junk"))
	}
	for _, e := range x.Snapshots("dev") {
		s, err := v.Fetch(t.Context(), e, ids)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(s.Files[0].Data); got != "one" && got != "two" {
			t.Fatalf("fetched %q", got)
		}
	}
	// A deleted object leaves a marker; its version is still there.
	if err := g.Admin.RemoveObject(t.Context(), all.Bucket, all.Prefix+"/"+one.Object, minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Fetch(t.Context(), one, ids); err != nil {
		t.Fatalf("after a delete marker: %v", err)
	}
	// A reader without a cache reads the overwritten records too.
	fresh := c
	fresh.Dir = filepath.Join(t.TempDir(), "fresh")
	if _, err := vault.Recover(t.Context(), fresh, made.RootPublic, ids); err != nil {
		t.Fatal(err)
	}
}

func client(t *testing.T, o s3.Options) *minio.Client {
	t.Helper()
	c, err := minio.New(o.Endpoint, &minio.Options{Creds: s3.Credentials(o), Region: "us-east-1", Transport: o.Transport})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func overwrite(t *testing.T, c *minio.Client, o s3.Options, key string, data []byte) {
	t.Helper()
	if _, err := c.PutObject(t.Context(), o.Bucket, o.Prefix+"/"+key, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestBombWithoutVersions: the bucket keeps no versions and the object was
// replaced by something huge. Not more than the recorded size is read.
func TestBombWithoutVersions(t *testing.T) {
	g := gateway.Start(t)
	o := g.Bucket("vault")
	c := vault.Config{Dir: filepath.Join(t.TempDir(), "home"), Store: open(t, o)}
	made, err := vault.Create(t.Context(), c, vault.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e := night(t, c, "one")
	overwrite(t, client(t, o), o, e.Object, make([]byte, 32<<20))
	ids, err := vault.ParseIdentities([]byte(made.Identity), nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Fetch(t.Context(), e, ids); !errors.Is(err, vault.ErrIntegrity) || !strings.Contains(err.Error(), e.Object) {
		t.Fatalf("got %v, want ErrIntegrity naming the object", err)
	}
}

func TestErrors(t *testing.T) {
	g := gateway.Start(t)
	o := g.Bucket("vault")
	t.Run("no bucket", func(t *testing.T) {
		o := o
		o.Bucket = "nowhere"
		err := open(t, o).Put(t.Context(), "a", nil)
		if err == nil || !strings.Contains(err.Error(), "bucket does not exist") || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("wrong secret", func(t *testing.T) {
		o := o
		o.SecretKey = "wrong"
		err := open(t, o).Put(t.Context(), "a", nil)
		if !errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("unreachable", func(t *testing.T) {
		o := o
		o.Transport = &http.Transport{Dial: func(string, string) (net.Conn, error) { return nil, errors.New("no route") }}
		_, err := open(t, o).Get(t.Context(), "a", 10)
		if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("bad options", func(t *testing.T) {
		for _, o := range []s3.Options{{}, {Endpoint: "h"}, {Endpoint: "h/x", Bucket: "b"}, {Endpoint: "h", Bucket: "b", Prefix: "../x"}} {
			if _, err := s3.Open(t.Context(), o); err == nil {
				t.Errorf("%+v was accepted", o)
			}
		}
	})
	t.Run("time", func(t *testing.T) {
		for _, o := range []s3.Options{o, g.PutOnly(o)} {
			got, err := open(t, o).Time(t.Context())
			if d := time.Since(got); err != nil || d > time.Minute || d < -time.Minute {
				t.Errorf("got %v, %v", got, err)
			}
		}
	})
}

// cutter breaks off the first answers to GET in the middle.
type cutter struct {
	http.RoundTripper
	left int
}

func (c *cutter) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet && r.URL.RawQuery == "" && c.left > 0 {
		c.left--
		resp.Body = &cutBody{resp.Body}
	}
	return resp, err
}

type cutBody struct{ body interface{ Close() error } }

func (b *cutBody) Read([]byte) (int, error) { return 0, errors.New("connection reset") }
func (b *cutBody) Close() error             { return b.body.Close() }

func TestBodyBreaksOff(t *testing.T) {
	g := gateway.Start(t)
	o := g.Bucket("vault")
	cut := &cutter{RoundTripper: o.Transport, left: 2}
	o.Transport = cut
	s := open(t, o)
	if err := s.Put(t.Context(), "a", []byte("data")); err != nil {
		t.Fatal(err)
	}
	data, err := s.Get(t.Context(), "a", 10)
	if err != nil || string(data) != "data" || cut.left != 0 {
		t.Fatalf("got %q, %v; %d cuts left", data, err, cut.left)
	}
}

// counter counts requests.
type counter struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

// TestRequests: a night that changes nothing costs a handful of requests,
// however many devices there are, with rights to read and without.
func TestRequests(t *testing.T) {
	g := gateway.Start(t)
	o := g.Bucket("vault")
	c := vault.Config{Dir: filepath.Join(t.TempDir(), "home"), Store: open(t, o)}
	if _, err := vault.Create(t.Context(), c, vault.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	devices := make([]string, 50)
	run := func(each func(*vault.Run, string) error) {
		v, err := vault.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Begin(t.Context(), vault.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range devices {
			if err := each(r, fmt.Sprintf("dev-%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	run(func(r *vault.Run, d string) error {
		_, err := r.Put(t.Context(), &vault.Snapshot{Device: d, Files: []vault.File{{Name: "f", Kind: vault.Native}}})
		return err
	})
	for name, o := range map[string]s3.Options{"all rights": o, "put-only": g.PutOnly(o)} {
		count := &counter{RoundTripper: o.Transport}
		o.Transport = count
		c.Store = open(t, o)
		run(func(r *vault.Run, d string) error { return r.Seen(d, nil) })
		if n := count.n.Load(); n > 12 {
			t.Errorf("%s: %d requests", name, n)
		} else {
			t.Logf("%s: %d requests", name, n)
		}
	}
}
