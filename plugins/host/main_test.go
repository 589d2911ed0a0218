package host_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/serve"
)

// TestMain lets the test binary stand for the agent's: started as "plugin
// serve NAME" it is the driver NAME, good or bad.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "plugin" && os.Args[2] == "serve" {
		servePlugin(os.Args[3])
	}
	if len(os.Args) == 4 && os.Args[1] == "agent" {
		beAgent(os.Args[2], os.Args[3])
	}
	os.Exit(m.Run())
}

// servePlugin is the child: NAME says how it behaves.
func servePlugin(name string) {
	d := &lab{name: name, caps: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset}}
	switch name {
	case "foreign":
		serveForeign()
	case "junk":
		fmt.Println("Welcome to ACME\x1b[2J driver!")
		time.Sleep(time.Hour)
	case "junk-long":
		for {
			os.Stdout.WriteString(strings.Repeat("x", 4096))
		}
	case "old":
		fmt.Println("1|99|unix|/nowhere|grpc|")
		time.Sleep(time.Hour)
	case "netrpc":
		fmt.Println("1|1|unix|/nowhere|netrpc|")
		time.Sleep(time.Hour)
	case "elsewhere":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			os.Exit(9)
		}
		fmt.Printf("1|1|tcp|%s|grpc|\n", l.Addr())
		time.Sleep(time.Hour)
	case "exit":
		os.Exit(3)
	case "silent":
		time.Sleep(time.Hour)
	case "deaf": // a socket that nobody serves
		l, err := net.Listen("unix", os.Getenv("PLUGIN_UNIX_SOCKET_DIR")+"/s")
		if err != nil {
			os.Exit(9)
		}
		fmt.Printf("1|1|unix|%s|grpc|\n", l.Addr())
		time.Sleep(time.Hour)
	case "strange-power":
		d.caps = append(d.caps, "teleport")
	case "bad-pattern":
		d.prompt = "("
	case "misnamed":
		d.name = "other"
	case "reader":
		d.caps = nil
	case "printing":
		fmt.Fprintln(os.Stderr, "hello from before main")
		log.Print("a log line from the driver")
		d.talk = true
	}
	serve.Serve(d)
}

// benchCalls is how many calls back one benchmarked call makes.
const benchCalls = 100

// lab is a driver that does what its session's option "do" says.
type lab struct {
	name string
	caps []plugins.Capability
	talk bool

	prompt string
	mu     sync.Mutex
	kept   map[string]plugins.Session // by change, from Stage
}

func (d *lab) Info() plugins.Info {
	if d.talk {
		fmt.Println("Info prints to standard output")
		syscall.Write(1, []byte("and so does a raw write\n"))
	}
	prompt := "p"
	if d.prompt != "" {
		prompt = d.prompt
	}
	i := plugins.Info{
		Name: d.name, Version: "1.2.3", Vendor: "Lab", Platform: "a laboratory", Tested: plugins.TestedSimulator,
		Notes: []string{"for tests"}, Capabilities: d.caps, MaxSessions: 4,
		Options:    []plugins.Option{{Name: "do", Text: "what to do", Pattern: "^[a-z]+$"}},
		Transports: []plugins.Transport{plugins.TransportExec, plugins.TransportShell},
		Shell: plugins.Shell{Prompt: prompt, Privileged: "v", Enable: "e", EnablePrompt: "ep", Setup: []string{"s1", "s2"}, Pager: "pg",
			Sentinel: "!%s", Exit: "x", Newline: "\r", CommandEcho: true, ContinueKey: "q", ModePrompt: "m", ErrorLine: "el"},
		Artefacts: []plugins.ArtefactSpec{{Name: "running-config", Command: "show run", Role: plugins.RoleRunning, Bind: plugins.BindModel, Required: true, Terminator: "^end"}},
		Volatile:  []plugins.LineRule{{ID: "time", Artefact: "running-config", Pattern: "^! Time", Why: "it passes"}},
		Secrets:   []plugins.SecretRule{{ID: "pw", Artefact: "running-config", Pattern: "password (.*)", Until: "end"}},
	}
	if i.Can(plugins.CapRestore) {
		i.Rollback = plugins.RollbackDevice
	}
	return i
}

func (d *lab) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	if err := d.do(ctx, s); err != nil {
		return plugins.Facts{}, err
	}
	out, err := s.Run(ctx, plugins.Command{Text: "show version"})
	if err != nil {
		return plugins.Facts{}, err
	}
	return plugins.Facts{Vendor: "Lab", Model: string(out.Stdout), Serials: []string{"A", "B"}, OS: "LabOS", OSVersion: "1",
		MACs: []string{"00:00:5e:00:53:01"}, Hostname: s.ID()}, nil
}

func (d *lab) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	if err := d.do(ctx, s); err != nil {
		return nil, err
	}
	if s.Options()["do"] == "huge" {
		return &plugins.Export{Artefacts: []plugins.Artefact{{Name: "a", Data: make([]byte, 257<<20)}}, Verdict: plugins.Complete}, nil
	}
	out, err := s.Run(ctx, plugins.Command{Text: "show run"})
	if err != nil {
		return nil, err
	}
	return &plugins.Export{
		Artefacts: []plugins.Artefact{
			{Name: "running-config", Role: plugins.RoleRunning, Bind: plugins.BindUnit, Source: "show run", Data: out.Stdout},
			{Name: "etc/link", Role: plugins.RoleFile, Attrs: map[string]string{"link": "caf\xe9"}},
		},
		Verdict: plugins.Partial, Reasons: []plugins.Reason{{Code: "daemon-missing", Text: "caf\xe9"}}, FactoryDefault: true,
		Facts: &plugins.Facts{Vendor: "Lab", Serials: []string{"A", "B"}, Hostname: s.ID()},
	}, nil
}

func (d *lab) Normalize(ctx context.Context, f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	if f.Model == "crash" {
		os.Exit(7)
	}
	n := &plugins.Normalized{Tree: native[0].Data}
	for i := range 20000 {
		n.Residual = append(n.Residual, plugins.Line{Artefact: native[0].Name, Number: i + 1, Class: plugins.Unparsed, Rule: "r", Section: "caf\xe9 " + f.Hostname})
	}
	n.Coverage = []plugins.Coverage{{Artefact: native[0].Name, Section: "s", Lines: map[plugins.Class]int{plugins.Mapped: 3, plugins.Unparsed: 20000}}}
	return n, nil
}

func (d *lab) Stage(ctx context.Context, s plugins.Session, id string, want []plugins.Artefact) (plugins.Diff, error) {
	if err := d.do(ctx, s); err != nil {
		return plugins.Diff{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept == nil {
		d.kept = map[string]plugins.Session{}
	}
	d.kept[id] = s
	return plugins.Diff{Text: string(want[0].Data), Steps: []string{"a", "b"}, Losses: []plugins.Loss{{Artefact: "x", Line: 2, Path: "/p", Code: "unit-bound", Text: "t"}},
		Disruptive: []string{"flap"}, Address: "192.0.2.1"}, nil
}

func (d *lab) Commit(ctx context.Context, s plugins.Session, id string, within time.Duration) error {
	if within != 90*time.Second {
		return fmt.Errorf("within is %v", within)
	}
	_, err := s.Run(ctx, plugins.Command{Text: "commit " + id, Write: true})
	return errors.Join(err, d.do(ctx, s))
}

func (d *lab) Confirm(ctx context.Context, s plugins.Session, id string) error {
	_, err := s.Run(ctx, plugins.Command{Text: "confirm " + id, Write: true})
	return errors.Join(err, d.do(ctx, s))
}

// Discard uses the session that Stage was given, whatever it is handed.
func (d *lab) Discard(ctx context.Context, _ plugins.Session, id string) error {
	d.mu.Lock()
	s := d.kept[id]
	d.mu.Unlock()
	if s == nil {
		return nil
	}
	_, err := s.Run(ctx, plugins.Command{Text: "discard"})
	return err
}

func (d *lab) Status(ctx context.Context, s plugins.Session, id string) (plugins.State, time.Duration, error) {
	return plugins.StatePending, 1500 * time.Millisecond, d.do(ctx, s)
}

func (d *lab) Adapt(_ context.Context, native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	for i := range native {
		native[i].Source = from.Model + ">" + to.Model + fmt.Sprint(len(m)) + m["e1"]
	}
	return native, []plugins.Loss{{Code: "unit-bound"}}, nil
}

func (d *lab) Render(_ context.Context, tree []byte, onto plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	return []plugins.Artefact{{Name: onto.Model, Data: tree}}, []plugins.Loss{{Code: "no-equivalent", Path: "/a"}}, nil
}

func (d *lab) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	if token != "serial-1" {
		return plugins.ErrWrongUnit
	}
	return d.do(ctx, s)
}

// do misbehaves as the session's options say.
func (d *lab) do(ctx context.Context, s plugins.Session) error {
	o := s.Options()
	switch o["do"] {
	case "crash":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "crash-once": // the agent's side counts
		if out, err := s.Run(ctx, plugins.Command{Text: "crash?"}); err != nil || string(out.Stdout) == "yes" {
			os.Exit(5)
		}
	case "panic":
		panic("a secret canary 7f3a")
	case "hang":
		select {}
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	case "eat":
		var all [][]byte
		for {
			b := make([]byte, 8<<20)
			for i := range b {
				b[i] = byte(i)
			}
			all = append(all, b)
			runtime.KeepAlive(all)
		}
	case "error":
		return sample(o["error"])
	case "child":
		c := exec.Command("/bin/sleep", "3600")
		if err := c.Start(); err != nil {
			return err
		}
		return fmt.Errorf("pid %d", c.Process.Pid)
	case "pid":
		return fmt.Errorf("pid %d", os.Getpid())
	case "look":
		return errors.New(look())
	case "cli":
		return useCLI(ctx, s)
	case "input":
		big := []byte(strings.Repeat("0123456789abcdef", 4<<20)) // 64 MiB
		out, err := s.Run(ctx, plugins.Command{Text: "cat", Input: big})
		if err != nil {
			return err
		}
		if string(out.Stdout) != string(big) {
			return fmt.Errorf("%d bytes came back, other than were sent", len(out.Stdout))
		}
		return nil
	case "bench-run":
		for range benchCalls {
			if _, err := s.Run(ctx, plugins.Command{Text: "x"}); err != nil {
				return err
			}
		}
	case "bench-open":
		for range benchCalls {
			c, err := s.Open(ctx, "subsystem", "x")
			if err != nil {
				return err
			}
			var p [1]byte
			if _, err := c.Write(p[:]); err != nil {
				return err
			}
			if _, err := io.ReadFull(c, p[:]); err != nil {
				return err
			}
			c.Close()
		}
	case "open":
		return useOpen(ctx, s)
	}
	return nil
}

// look says what a plugin sees of the machine.
func look() string {
	var b strings.Builder
	fmt.Fprintf(&b, "env=%q\n", os.Environ())
	in, err := io.ReadAll(os.Stdin)
	link, _ := os.Readlink("/proc/self/fd/0")
	fmt.Fprintf(&b, "stdin=%q err=%v link=%s\n", in, err, link)
	raw, _ := os.ReadFile("/proc/self/environ")
	for _, kv := range strings.Split(string(raw), "\x00") {
		if name, _, _ := strings.Cut(kv, "="); name != "" && !strings.HasPrefix(name, "-") && !strings.Contains(name, " ") && len(name) < 64 && strings.ToUpper(name) == name {
			fmt.Fprintf(&b, "raw=%s\n", name)
		}
	}
	fmt.Fprintf(&b, "pgrp=%v\n", syscall.Getpgrp() == os.Getpid())
	return b.String()
}

func useCLI(ctx context.Context, s plugins.Session) error {
	c, err := s.CLI(ctx)
	if err != nil {
		return err
	}
	for _, cmd := range []string{"configure", "commit"} {
		out, err := c.Run(ctx, plugins.Command{Text: cmd, Answers: []plugins.Answer{{Prompt: "\xff?", Reply: "y\xff", NoNewline: true}}})
		if err != nil || string(out.Stdout) != "cli:"+cmd {
			return fmt.Errorf("%q %w", out.Stdout, err)
		}
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		return err
	}
	if _, err := c.Run(ctx, plugins.Command{Text: "late"}); !errors.Is(err, plugins.ErrSessionLost) {
		return fmt.Errorf("after Close: %w", err)
	}
	return nil
}

func useOpen(ctx context.Context, s plugins.Session) error {
	c, err := s.Open(ctx, "subsystem", "netconf\xff")
	if err != nil {
		return err
	}
	defer c.Close()
	go func() {
		io.WriteString(c, strings.Repeat("hello ", 100000))
		c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	all, err := io.ReadAll(c)
	if err != nil || string(all) != strings.Repeat("HELLO ", 100000) {
		return fmt.Errorf("%d bytes: %w", len(all), err)
	}
	return nil
}
