// Package unix is what simulated devices with a shell have in common: files in
// memory, processes that outlive their login, time that a test can advance,
// and the commands that scripts find on them. The shell is mvdan.cc/sh in its
// POSIX dialect, so that a script which needs more than that fails here.
//
// A platform says which commands it has ([Options.Without]) and adds its own
// ([Tool]). Users and permissions are not enforced: everything runs as root.
// Signals other than the end of a process are not simulated, a shell waits for
// its background jobs (setsid and start-stop-daemon give a job a session of its
// own, which nobody waits for), and nothing is limited by memory or disk but
// what Fill says.
package unix

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// Call is one run of a command.
type Call struct {
	*Machine
	Ctx      context.Context
	Args     []string // with the command's name
	Dir      string
	In       io.Reader
	Out, Err io.Writer
	pid      int
}

// Tool is a command; it returns its exit status.
type Tool func(c *Call) int

// Options describe a machine.
type Options struct {
	Clock    device.Clock
	Hostname string
	Tools    map[string]Tool // beside those that every machine has
	Without  []string        // commands that this one has not
	Volatile []string        // folders whose content a reboot takes
}

// Machine is a simulated Unix machine. Its methods are safe for concurrent
// use, except that the functions of With must not call it.
type Machine struct {
	opts  Options
	tools map[string]Tool

	mu     sync.Mutex
	idle   *sync.Cond
	busy   int // processes that neither sleep nor have ended
	files  *Files
	procs  map[int]*proc
	next   int
	booted time.Time
	boots  int
	umask  fs.FileMode
	full   bool
	host   string
	quiet  bool // a clone that only looks ahead
}

type proc struct {
	args  []string
	group int
	stop  context.CancelFunc
}

// New returns a machine without any file.
func New(o Options) *Machine {
	m := &Machine{opts: o, procs: map[int]*proc{}, next: 100, umask: 0o022, host: o.Hostname, booted: o.Clock.Now()}
	m.idle = sync.NewCond(&m.mu)
	m.files = newFiles(o.Clock.Now)
	m.files.virtual = m.kernel
	m.tools = common()
	maps.Copy(m.tools, o.Tools)
	for _, t := range o.Without {
		delete(m.tools, t)
	}
	return m
}

// With calls f with the files, locked.
func (m *Machine) With(f func(*Files)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m.files)
}

// Read returns a file's content, or "".
func (m *Machine) Read(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, err := m.files.Read(name)
	if err != nil {
		return ""
	}
	return string(data)
}

// Exists reports whether a file, folder or link is there.
func (m *Machine) Exists(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, x := m.files.lookup(name, false)
	return x != nil
}

// Write writes a file of mode 0644, with the folders above it.
func (m *Machine) Write(name, text string) {
	m.With(func(f *Files) { f.Put(name, []byte(text), 0o644) })
}

// Fill makes every further write fail, as a full disk does.
func (m *Machine) Fill(full bool) {
	m.mu.Lock()
	m.full = full
	m.mu.Unlock()
}

// Hostname is the name that the kernel has.
func (m *Machine) Hostname() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.host
}

// SetHostname sets it.
func (m *Machine) SetHostname(name string) {
	m.mu.Lock()
	m.host = name
	m.mu.Unlock()
}

// Clone is a machine with the same files and no process, to look at what it
// would do.
func (m *Machine) Clone() *Machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := New(m.opts)
	c.files = m.files.clone()
	c.files.virtual = c.kernel
	c.booted, c.boots, c.next, c.host, c.quiet = m.booted, m.boots, m.next, m.host, true
	return c
}

// Reboot ends every process, forgets what was not on disk and starts a new
// uptime.
func (m *Machine) Reboot() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.procs {
		p.stop()
	}
	m.procs = map[int]*proc{}
	for _, dir := range m.opts.Volatile {
		for _, n := range m.files.Under(dir) {
			m.files.Remove(n)
		}
	}
	m.booted = m.opts.Clock.Now()
	m.boots++
	m.umask = 0o022
}

// Settle waits until every process sleeps or has ended.
func (m *Machine) Settle() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.busy > 0 {
		m.idle.Wait()
	}
}

func (m *Machine) work(n int) {
	m.busy += n
	if m.busy == 0 {
		m.idle.Broadcast()
	}
}

// kernel is what lies below /proc.
func (m *Machine) kernel(name string) ([]byte, bool) {
	switch name {
	case "/proc/uptime":
		s := m.opts.Clock.Now().Sub(m.booted).Seconds()
		return fmt.Appendf(nil, "%.2f %.2f\n", s, s), true
	case "/proc/sys/kernel/random/boot_id":
		return fmt.Appendf(nil, "00000000-0000-4000-8000-%012d\n", m.boots), true
	case "/proc/sys/kernel/hostname":
		return []byte(m.host + "\n"), true
	}
	if rest, ok := strings.CutPrefix(name, "/proc/"); ok {
		if pid, file, ok := strings.Cut(rest, "/"); ok && file == "cmdline" {
			if n, err := strconv.Atoi(pid); err == nil && m.procs[n] != nil {
				return []byte(strings.Join(m.procs[n].args, "\x00") + "\x00"), true
			}
		}
	}
	return nil, false
}

// Exec runs a command line as sshd does for an exec channel: by the login
// shell.
func (m *Machine) Exec(p *device.Process) int {
	return m.Shell(p.Arg, p.In, p.Out, p.Err)
}

// Shell runs a command line.
func (m *Machine) Shell(line string, in io.Reader, out, errs io.Writer) int {
	if in == nil {
		in = strings.NewReader("")
	}
	status, done := 0, make(chan struct{})
	m.spawn([]string{"sh", "-c", line}, 0, "/root", in, out, errs, func(s int) { status = s; close(done) })
	<-done
	return status
}

// spawn starts a shell as a process; group 0 is a group of its own.
func (m *Machine) spawn(args []string, group int, dir string, in io.Reader, out, errs io.Writer, end func(status int)) int {
	ctx, stop := context.WithCancel(context.Background())
	m.mu.Lock()
	m.next++
	pid := m.next
	if group == 0 {
		group = pid
	}
	m.procs[pid] = &proc{args, group, stop}
	m.work(1)
	m.mu.Unlock()
	go func() {
		status := m.shell(ctx, pid, args, dir, in, out, errs)
		m.mu.Lock()
		delete(m.procs, pid)
		m.mu.Unlock()
		stop()
		end(status)
		m.mu.Lock()
		m.work(-1)
		m.mu.Unlock()
	}()
	return pid
}

func (m *Machine) isDir(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, x := m.files.lookup(name, true)
	return x != nil && x.mode.IsDir()
}

func (m *Machine) isProcess(name string) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "/proc/"))
	return err == nil && m.procs[n] != nil
}

// run finds and runs one command.
func (m *Machine) run(c *Call) int {
	name := c.Args[0]
	if strings.HasPrefix(name, "/") {
		base := name[strings.LastIndexByte(name, '/')+1:]
		if _, ok := m.tools[base]; ok && !m.Exists(name) {
			name = base
		}
	}
	if t, ok := m.tools[name]; ok {
		return t(c)
	}
	if strings.Contains(name, "/") && m.Exists(resolveIn(c.Dir, name)) {
		return m.child(c, append([]string{"sh", resolveIn(c.Dir, name)}, c.Args[1:]...))
	}
	fmt.Fprintf(c.Err, "sh: %s: not found\n", c.Args[0])
	return 127
}

// child runs a shell as a process of its own and waits for it. The parent
// does not work meanwhile.
func (m *Machine) child(c *Call, args []string) int {
	m.mu.Lock()
	group := 0
	if p := m.procs[c.pid]; p != nil {
		group = p.group
	}
	m.mu.Unlock()
	status, done := 0, make(chan struct{})
	pid := m.spawn(args, group, c.Dir, c.In, c.Out, c.Err, func(s int) {
		status = s
		m.mu.Lock()
		m.work(1) // the parent's, before the child's ends
		m.mu.Unlock()
		close(done)
	})
	m.mu.Lock()
	m.work(-1)
	m.mu.Unlock()
	select {
	case <-done:
	case <-c.Ctx.Done():
		m.mu.Lock()
		if p := m.procs[pid]; p != nil {
			p.stop()
		}
		m.mu.Unlock()
		<-done
	}
	return status
}

// Detach starts a shell that outlives the process that starts it.
func (m *Machine) Detach(args []string) int {
	return m.spawn(args, 0, "/", strings.NewReader(""), io.Discard, io.Discard, func(int) {})
}

// sleep waits by the machine's clock; what is shorter than a second, which
// scripts use to poll, does not wait for it.
func (c *Call) sleep(d time.Duration) int {
	if d < time.Second || c.quiet {
		select {
		case <-time.After(25 * time.Millisecond):
			return 0
		case <-c.Ctx.Done():
			return 143
		}
	}
	woken := make(chan struct{})
	stop := c.opts.Clock.AfterFunc(d, func() {
		c.mu.Lock()
		c.work(1)
		c.mu.Unlock()
		close(woken)
	})
	c.mu.Lock()
	c.work(-1)
	c.mu.Unlock()
	select {
	case <-woken:
		return 0
	case <-c.Ctx.Done():
		if stop() {
			c.mu.Lock()
			c.work(1)
			c.mu.Unlock()
		} else {
			<-woken
		}
		return 143
	}
}

func resolveIn(dir, name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return strings.TrimSuffix(dir, "/") + "/" + name
}

// Tools lists the commands that the machine has.
func (m *Machine) Tools() []string { return slices.Sorted(maps.Keys(m.tools)) }
