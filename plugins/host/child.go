package host

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin/runner"
)

// child is the operating system's side of a plugin process, in the shape that
// go-plugin asks for. go-plugin's own runner hands the agent's standard input
// down and kills one process instead of the group.
type child struct {
	spawn  *spawner
	dir    string // where its socket must be
	cmd    *exec.Cmd
	byHand string // what a person types to start it

	onStart func() // called when the process runs

	stdout, stderr *os.File
	startErr       error

	ctx    context.Context // done when the process has ended
	cancel context.CancelFunc
	exited chan struct{} // closed when the process has ended

	mu      sync.Mutex
	started bool
	reaped  bool
	first   []byte // of standard output, at most its first line
	ended   string
}

var _ runner.Runner = (*child)(nil)

func newChild(s *spawner, dir string) *child {
	c := &child{spawn: s, dir: dir, exited: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Start starts the command. Standard input is the null device.
func (c *child) Start(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started {
		return c.failed(context.Canceled) // killed before it was started
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return c.failed(err)
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		outR.Close()
		outW.Close()
		return c.failed(err)
	}
	c.stdout, c.stderr = outR, errR
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = nil, outW, errW
	c.cmd.Dir = "/"
	err = c.spawn.start(c.cmd)
	outW.Close()
	errW.Close()
	for _, f := range c.cmd.ExtraFiles {
		f.Close()
	}
	if err != nil {
		outR.Close()
		errR.Close()
		return c.failed(err)
	}
	c.started = true
	c.onStart()
	go c.wait()
	return nil
}

// failed notes why the process was not started.
func (c *child) failed(err error) error {
	c.startErr = err
	if !c.started {
		c.started, c.reaped, c.ended = true, true, "it was not started"
		c.cancel()
		close(c.exited)
	}
	return err
}

// wait reaps the process and ends its group with it.
func (c *child) wait() {
	pid := c.cmd.Process.Pid
	awaitExit(pid)
	c.mu.Lock()
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	c.reaped = true
	c.mu.Unlock()
	_ = c.cmd.Wait() // says in ProcessState what there is to say
	c.mu.Lock()
	c.ended = c.cmd.ProcessState.String()
	c.mu.Unlock()
	c.cancel()
	close(c.exited)
	// A descendant that left the group may hold the pipes: read what is
	// there, and no longer.
	soon := time.Now().Add(200 * time.Millisecond)
	_ = c.stdout.SetReadDeadline(soon)
	_ = c.stderr.SetReadDeadline(soon)
}

// kill ends the process group, or keeps the process from being started.
func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.started:
		for _, f := range c.cmd.ExtraFiles {
			f.Close()
		}
		_ = c.failed(context.Canceled)
	case !c.reaped:
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// state says how the process ended.
func (c *child) state() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

func (c *child) gone() bool { return c.ctx.Err() != nil }

// pid is only for use after onStart.
func (c *child) pid() int { return c.cmd.Process.Pid }

// firstLine returns the first line of standard output and whether all of it
// came.
func (c *child) firstLine() (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.CutSuffix(string(c.first), "\n")
}

// maxFirst bounds what is kept of the first line; the protocol's is about
// 1 KiB.
const maxFirst = 4 << 10

// firstLineReader keeps a copy of the first line.
type firstLineReader struct {
	io.ReadCloser
	c *child
}

func (r firstLineReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	for _, b := range p[:n] {
		if len(r.c.first) == maxFirst || strings.HasSuffix(string(r.c.first[max(0, len(r.c.first)-1):]), "\n") {
			break
		}
		r.c.first = append(r.c.first, b)
	}
	return n, err
}

// Stdout, Stderr, Wait, Kill, ID, Name and Diagnose are what go-plugin calls.
func (c *child) Stdout() io.ReadCloser           { return firstLineReader{c.stdout, c} }
func (c *child) Stderr() io.ReadCloser           { return c.stderr }
func (c *child) Wait(context.Context) error      { <-c.exited; return nil }
func (c *child) Kill(context.Context) error      { c.kill(); return nil }
func (c *child) Name() string                    { return filepath.Base(c.byHand) }
func (c *child) Diagnose(context.Context) string { return "" }

// ID is the process id, and never empty: go-plugin clears nothing away for a
// process without one.
func (c *child) ID() string {
	if c.cmd.Process == nil {
		return "none"
	}
	return strconv.Itoa(c.cmd.Process.Pid)
}

// PluginToHost lets the plugin name a socket in the agent's own directory and
// nothing else to dial.
func (c *child) PluginToHost(network, addr string) (string, string, error) {
	if rel, err := filepath.Rel(c.dir, addr); network != "unix" || err != nil || !filepath.IsLocal(rel) {
		return "", "", fmt.Errorf("the plugin does not listen on a unix socket in the directory that it was given")
	}
	return network, addr, nil
}

// HostToPlugin changes nothing: both sides see the same file system.
func (c *child) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}
