package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/e2e/lab"
)

// home is one installation of cfgvault, driven through the real binary.
type home struct {
	t     *testing.T
	dir   string
	store string
	temp  string // folder of the agent's temporary files
	env   []string
}

// newHome makes a vault in a directory store.
func newHome(t *testing.T) *home {
	t.Helper()
	h := bareHome(t)
	h.must("init", "--store", h.store)
	return h
}

func bareHome(t *testing.T) *home {
	t.Helper()
	dir := t.TempDir()
	temp, err := os.MkdirTemp("", "e2e-") // short: sockets lie there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(temp) })
	return &home{t: t, dir: filepath.Join(dir, "home"), store: filepath.Join(dir, "store"), temp: temp,
		env: []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + temp}}
}

// result is how a command ended.
type result struct {
	out, err string
	code     int
}

func (h *home) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, append([]string{"--home", h.dir}, args...)...)
	cmd.Env = h.env
	cmd.Dir = filepath.Dir(h.dir)
	return cmd
}

func (h *home) run(args ...string) result {
	h.t.Helper()
	var out, errs bytes.Buffer
	cmd := h.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	r := result{out: out.String(), err: errs.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	case err != nil:
		h.t.Fatal(err)
	}
	if strings.Contains(r.out+r.err, lab.Canary) && !strings.Contains(strings.Join(args, " "), "--reveal") {
		h.t.Errorf("cfgvault %s printed a secret:\n%s%s", strings.Join(args, " "), r.out, r.err)
	}
	return r
}

// want runs a command that must end with the given status.
func (h *home) want(code int, args ...string) result {
	h.t.Helper()
	r := h.run(args...)
	if r.code != code {
		h.t.Fatalf("cfgvault %s: exit status %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.err)
	}
	return r
}

func (h *home) must(args ...string) result { h.t.Helper(); return h.want(0, args...) }

// secretFile writes a password where only we can read it.
func (h *home) secretFile(name, text string) string {
	h.t.Helper()
	path := filepath.Join(filepath.Dir(h.dir), name)
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// addRouter puts a router of the lab into the inventory and trusts it.
func (h *home) addRouter(name string, r *lab.Router) {
	h.t.Helper()
	l := r.Shell()
	h.must("device", "add", name, "--driver", "frr", "--address", r.HostPort(), "--user", l.User, "--password-file", h.secretFile(name+".pw", l.Password))
	h.must("device", "trust", name, "--yes")
}

// newRouter starts a router that ends with the test.
func newRouter(t *testing.T, name string) *lab.Router {
	t.Helper()
	l, err := openLab()
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Router(context.Background(), lab.RouterOptions{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Stop() })
	return r
}

// significant is what a router runs, by the lab's own command and list of
// volatile lines.
func significant(t *testing.T, r *lab.Router) string {
	t.Helper()
	out, err := r.Running(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return string(lab.Significant(out))
}

func wipe(t *testing.T, r *lab.Router) {
	t.Helper()
	if err := r.Wipe(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// listed is a snapshot as `list --json` prints it.
type listed struct {
	ID, Object, Kind, Verdict, Grade, SHA256 string
	Held                                     []string
	Latest                                   bool
	Size                                     int64
	DeviceID                                 string `json:"device-id"`
}

func (h *home) list(device string) []listed {
	h.t.Helper()
	var all []listed
	if err := json.Unmarshal([]byte(h.must("list", device, "--json").out), &all); err != nil {
		h.t.Fatal(err)
	}
	return all
}

func (h *home) latest(device string) listed {
	h.t.Helper()
	for _, s := range h.list(device) {
		if s.Latest {
			return s
		}
	}
	h.t.Fatalf("%s has no latest good snapshot", device)
	return listed{}
}

// eventually waits until cond holds.
func eventually(t *testing.T, within time.Duration, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, within)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// readLines calls each for every line of r until it ends.
func readLines(r io.Reader, each func(string)) {
	var line []byte
	buf := make([]byte, 1)
	for {
		n, err := r.Read(buf)
		if n == 1 {
			if buf[0] == '\n' {
				each(string(line))
				line = line[:0]
			} else {
				line = append(line, buf[0])
			}
		}
		if err != nil {
			return
		}
	}
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}
