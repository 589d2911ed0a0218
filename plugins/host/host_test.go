package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
)

// device is the agent's session with a device that answers from a table.
type device struct {
	id      string
	options map[string]string
	run     func(ctx context.Context, c plugins.Command) (plugins.Output, error)

	mu    sync.Mutex
	ran   []string
	clis  int
	conns int
}

func (d *device) ID() string                 { return d.id }
func (d *device) Options() map[string]string { return d.options }

func (d *device) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	d.mu.Lock()
	d.ran = append(d.ran, c.Text)
	d.mu.Unlock()
	if d.run != nil {
		return d.run(ctx, c)
	}
	if c.Text == "cat" {
		return plugins.Output{Stdout: c.Input, End: plugins.EndClosed}, nil
	}
	zero := 0
	return plugins.Output{Stdout: []byte("answer to " + c.Text), Exit: &zero, End: plugins.EndStatus}, nil
}

func (d *device) count(cmd string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.ran {
		if c == cmd {
			n++
		}
	}
	return n
}

type cli struct{ d *device }

func (d *device) CLI(context.Context) (plugins.CLI, error) {
	d.mu.Lock()
	d.clis++
	d.mu.Unlock()
	return &cli{d}, nil
}

func (c *cli) Run(_ context.Context, cmd plugins.Command) (plugins.Output, error) {
	if len(cmd.Answers) != 1 || cmd.Answers[0] != (plugins.Answer{Prompt: "\xff?", Reply: "y\xff", NoNewline: true}) {
		return plugins.Output{}, fmt.Errorf("answers %+v", cmd.Answers)
	}
	return plugins.Output{Stdout: []byte("cli:" + cmd.Text), End: plugins.EndSentinel}, nil
}

func (c *cli) Close() error {
	c.d.mu.Lock()
	c.d.clis--
	c.d.mu.Unlock()
	return nil
}

// Open is an upper-case echo.
func (d *device) Open(_ context.Context, service, arg string) (net.Conn, error) {
	if service != "subsystem" || arg != "netconf\xff" {
		return nil, fmt.Errorf("service %q %q: %w", service, arg, errors.ErrUnsupported)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	go func() {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return
		}
		defer c.Close()
		in, _ := io.ReadAll(c)
		c.Write(bytes.ToUpper(in))
	}()
	return l.Accept()
}

// newHost starts a host over this binary, the test's, with all the drivers of
// servePlugin built in.
func newHost(t testing.TB, o host.Options) *host.Host {
	t.Helper()
	o.Builtin = append(o.Builtin, "lab", "reader", "junk", "junk-long", "old", "netrpc", "elsewhere", "exit", "silent", "deaf",
		"strange-power", "misnamed", "bad-pattern", "printing")
	if o.TempDir == "" {
		o.TempDir = t.TempDir()
	}
	h, err := host.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func shared(t testing.TB, h *host.Host, name string) *host.Driver {
	t.Helper()
	d, err := h.Shared(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func own(t testing.TB, h *host.Host, name string) *host.Driver {
	t.Helper()
	d, err := h.Own(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func doing(what string) *device {
	return &device{id: "dev-" + what, options: map[string]string{"do": what}}
}

// sample is an error by its code, or a special one.
func sample(code string) error {
	switch code {
	case "rejected-at":
		return fmt.Errorf("stage: %w", &plugins.RejectedError{Artefact: "running-config", Line: 7, Text: "% bad \xff word"})
	case "two":
		return fmt.Errorf("%w: %w", plugins.ErrSessionLost, plugins.ErrBusy)
	case "plain":
		return errors.New("caf\xe9 is closed")
	case "long":
		return errors.New(strings.Repeat("x", 1<<20))
	}
	if err := plugins.Codes()[code]; err != nil {
		return fmt.Errorf("while testing: %w", err)
	}
	return errors.New("no such code " + code)
}

func TestEveryMethodGivesTheSameAsInProcess(t *testing.T) {
	h := newHost(t, host.Options{})
	d := own(t, h, "lab")
	local := &lab{name: "lab", caps: d.Info().Capabilities}
	ctx := t.Context()
	s := &device{id: "s-1"}
	equal := func(what string, got, want any) {
		t.Helper()
		if g, w := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); g != w {
			t.Errorf("%s:\n got %.600s\nwant %.600s", what, g, w)
		}
	}
	equal("Info", d.Info(), local.Info())

	gf, err1 := d.Identify(ctx, s)
	wf, err2 := local.Identify(ctx, s)
	equal("Identify", gf, wf)
	equal("Identify", err1, err2)

	ge, err := d.Export(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	we, _ := local.Export(ctx, s)
	we.Artefacts[1].Data = []byte{}
	we.Reasons[0].Text = "caf\uFFFD" // for the operator, so it is made UTF-8
	if ge.Facts == nil {
		t.Fatal("the export comes without its facts")
	}
	equal("Export.Facts", *ge.Facts, *we.Facts)
	ge.Facts, we.Facts = nil, nil
	equal("Export", *ge, *we)

	gn, err := d.Normalize(ctx, wf, we.Artefacts)
	if err != nil {
		t.Fatal(err)
	}
	wn, _ := local.Normalize(ctx, wf, we.Artefacts)
	for i := range wn.Residual {
		wn.Residual[i].Section = strings.ToValidUTF8(wn.Residual[i].Section, "\uFFFD")
	}
	equal("Normalize", len(gn.Residual), len(wn.Residual))
	equal("Normalize", *gn, *wn)

	gd, err := d.Stage(ctx, s, "c-1", we.Artefacts)
	if err != nil {
		t.Fatal(err)
	}
	wd, _ := local.Stage(ctx, s, "c-1", we.Artefacts)
	equal("Stage", gd, wd)
	if err := d.Commit(ctx, s, "c-1", 90*time.Second); err != nil {
		t.Error(err)
	}
	if err := d.Confirm(ctx, s, "c-1"); err != nil {
		t.Error(err)
	}
	if err := d.Discard(ctx, s, "c-1"); err != nil {
		t.Error(err)
	}
	st, left, err := d.Status(ctx, s, "c-1")
	equal("Status", []any{st, left, err}, []any{plugins.StatePending, 1500 * time.Millisecond, nil})
	m := plugins.InterfaceMap{"e1": "e2"}
	for i := range 30000 {
		m[fmt.Sprintf("interface-with-a-long-name-%d", i)] = "x"
	}
	ga, gl, err := d.Adapt(ctx, we.Artefacts, wf, plugins.Facts{Model: "other"}, m)
	if err != nil {
		t.Fatal(err)
	}
	wa, wl, _ := local.Adapt(ctx, we.Artefacts, wf, plugins.Facts{Model: "other"}, m)
	equal("Adapt", []any{ga, gl}, []any{wa, wl})
	ga, gl, err = d.Render(ctx, []byte("{}"), plugins.Facts{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	wa, wl, _ = local.Render(ctx, []byte("{}"), plugins.Facts{Model: "m"})
	equal("Render", []any{ga, gl}, []any{wa, wl})
	if err := d.FactoryReset(ctx, s, "serial-1"); err != nil {
		t.Error(err)
	}
	if err := d.FactoryReset(ctx, s, "serial-2"); !errors.Is(err, plugins.ErrWrongUnit) {
		t.Errorf("got %v", err)
	}
	for _, what := range []string{"cli", "open"} {
		s := doing(what)
		if _, err := d.Identify(ctx, s); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if s.clis != 0 {
			t.Errorf("%d command lines left open", s.clis)
		}
	}
}
