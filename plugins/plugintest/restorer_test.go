package plugintest_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
)

// toyDevice is a device with one staged change at a time and a timer.
type toyDevice struct {
	running, startup string
	staged           map[string]string
	pending, done    string // change ids
	rolled           map[string]bool
	before           string
	left             time.Duration
}

func newToyDevice() plugintest.Device {
	const text = "hostname t1\nend\n"
	return &toyDevice{running: text, startup: text, staged: map[string]string{}, rolled: map[string]bool{}}
}

func (d *toyDevice) Session() plugins.Session { return toySession{d} }
func (d *toyDevice) Running() string          { return d.running }
func (d *toyDevice) Startup() string          { return d.startup }

func (d *toyDevice) Advance(t time.Duration) {
	if d.pending == "" {
		return
	}
	if d.left -= t; d.left <= 0 {
		d.back()
	}
}

func (d *toyDevice) back() {
	d.rolled[d.pending] = true
	d.running, d.pending = d.before, ""
}

type toySession struct{ *toyDevice }

func (toySession) ID() string                 { return "toy" }
func (toySession) Options() map[string]string { return nil }
func (s toySession) Run(context.Context, plugins.Command) (plugins.Output, error) {
	return plugins.Output{Stdout: []byte(s.running), End: plugins.EndSentinel}, nil
}
func (toySession) CLI(context.Context) (plugins.CLI, error) { return nil, errors.ErrUnsupported }
func (toySession) Open(context.Context, string, string) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}

// toyRestorer restores rightly, unless a field spoils a step: it runs after
// the right step and may change the device, the answer or the error.
type toyRestorer struct {
	toy
	stage   func(d *toyDevice, diff *plugins.Diff, err *error)
	commit  func(d *toyDevice, err *error)
	confirm func(d *toyDevice, err *error)
	discard func(d *toyDevice, err *error)
	status  func(d *toyDevice, s *plugins.State, left *time.Duration)
}

func (toyRestorer) Info() plugins.Info {
	i := toy{}.Info()
	i.Capabilities, i.Rollback = []plugins.Capability{plugins.CapRestore}, plugins.RollbackDevice
	return i
}

func (toyRestorer) Export(_ context.Context, s plugins.Session) (*plugins.Export, error) {
	return &plugins.Export{Verdict: plugins.Complete, Artefacts: []plugins.Artefact{
		{Name: "running-config", Role: plugins.RoleRunning, Data: []byte(s.(toySession).running)},
	}}, nil
}

func (r toyRestorer) Stage(_ context.Context, s plugins.Session, id string, want []plugins.Artefact) (diff plugins.Diff, err error) {
	d := s.(toySession).toyDevice
	text := string(want[0].Data)
	if strings.Contains(text, "bogus") {
		return diff, &plugins.RejectedError{Artefact: "running-config", Line: 1, Text: text}
	}
	d.staged[id] = text
	if text != d.running {
		diff = plugins.Diff{Text: "-" + d.running + "+" + text, Steps: []string{"replace the configuration"}}
	}
	if r.stage != nil {
		r.stage(d, &diff, &err)
	}
	return diff, err
}

func (r toyRestorer) Commit(_ context.Context, s plugins.Session, id string, within time.Duration) (err error) {
	d := s.(toySession).toyDevice
	text, ok := d.staged[id]
	if !ok {
		err = errors.New("nothing is staged")
	} else {
		d.before, d.running, d.pending, d.left = d.running, text, id, within
		delete(d.staged, id)
	}
	if r.commit != nil {
		r.commit(d, &err)
	}
	return err
}

func (r toyRestorer) Confirm(_ context.Context, s plugins.Session, id string) (err error) {
	d := s.(toySession).toyDevice
	switch {
	case d.pending == id:
		d.startup, d.done, d.pending = d.running, id, ""
	case d.done == id:
	case d.rolled[id]:
		err = plugins.ErrRolledBack
	default:
		err = errors.New("no such change")
	}
	if r.confirm != nil {
		r.confirm(d, &err)
	}
	return err
}

func (r toyRestorer) Discard(_ context.Context, s plugins.Session, id string) (err error) {
	d := s.(toySession).toyDevice
	delete(d.staged, id)
	if d.pending == id {
		d.back()
	}
	if r.discard != nil {
		r.discard(d, &err)
	}
	return err
}

func (r toyRestorer) Status(_ context.Context, s plugins.Session, id string) (st plugins.State, left time.Duration, err error) {
	d := s.(toySession).toyDevice
	_, staged := d.staged[id]
	switch {
	case d.pending == id:
		st, left = plugins.StatePending, d.left
	case d.done == id:
		st = plugins.StateConfirmed
	case staged:
		st = plugins.StateStaged
	case d.rolled[id]:
		st = plugins.StateRolledBack
	default:
		st = plugins.StateNone
	}
	if r.status != nil {
		r.status(d, &st, &left)
	}
	return st, left, nil
}

func toyRestore() plugintest.Restore {
	return plugintest.Restore{
		New: newToyDevice,
		Want: func(have []plugins.Artefact) []plugins.Artefact {
			return []plugins.Artefact{{Name: have[0].Name, Role: have[0].Role, Data: []byte("hostname t2\nend\n")}}
		},
		Bad: func(have []plugins.Artefact) []plugins.Artefact {
			return []plugins.Artefact{{Name: have[0].Name, Role: have[0].Role, Data: []byte("bogus\nend\n")}}
		},
	}
}

func TestGoodRestorerPasses(t *testing.T) {
	if err := plugintest.CheckRestorer(t.Context(), toyRestorer{}, toyRestore(), quick()); err != nil {
		t.Fatal(err)
	}
}

// Restorers that each break one rule.
func TestBadRestorersAreCaught(t *testing.T) {
	tests := []struct {
		name   string
		driver toyRestorer
		want   string
	}{
		{"changes the device while staging", toyRestorer{stage: func(d *toyDevice, _ *plugins.Diff, _ *error) { d.running += "x\n" }},
			"after Stage, the running configuration is not what it was"},
		{"saves while staging", toyRestorer{stage: func(d *toyDevice, _ *plugins.Diff, _ *error) { d.startup += "x\n" }},
			"after Stage, the startup configuration has changed"},
		{"shows no difference", toyRestorer{stage: func(_ *toyDevice, diff *plugins.Diff, _ *error) { diff.Text = "" }},
			"Stage shows no difference"},
		{"names no step", toyRestorer{stage: func(_ *toyDevice, diff *plugins.Diff, _ *error) { diff.Steps = nil }},
			"Stage names no step"},
		{"always shows a difference", toyRestorer{stage: func(_ *toyDevice, diff *plugins.Diff, _ *error) { diff.Text += "!" }},
			"Stage of what runs already shows a difference"},
		{"saves while committing", toyRestorer{commit: func(d *toyDevice, _ *error) { d.startup = d.running }},
			"after Commit, the startup configuration has changed"},
		{"arms no timer", toyRestorer{commit: func(d *toyDevice, _ *error) { d.left = 1 << 50 }},
			"after the time ran out, the running configuration is not what it was"},
		{"does not commit", toyRestorer{commit: func(d *toyDevice, _ *error) { d.running = d.before }},
			"after Commit, the running configuration is still"},
		{"commits what was not staged", toyRestorer{commit: func(_ *toyDevice, err *error) { *err = nil }},
			"Commit of what was not staged succeeds"},
		{"does not save", toyRestorer{confirm: func(d *toyDevice, _ *error) { d.startup = "hostname t1\nend\n" }},
			"the startup configuration is still the old one"},
		{"saves something else", toyRestorer{confirm: func(d *toyDevice, _ *error) { d.startup += "x\n" }},
			"the startup configuration is not the running one"},
		{"confirms once only", toyRestorer{confirm: func(d *toyDevice, err *error) {
			if d.left--; d.left < 5*time.Minute-1 {
				*err = errors.New("already")
			}
		}}, "the second time, Confirm fails"},
		{"confirms too late", toyRestorer{confirm: func(_ *toyDevice, err *error) { *err = nil }},
			"a late Confirm gives no error instead of ErrRolledBack"},
		{"confirms what was never there", toyRestorer{confirm: func(_ *toyDevice, err *error) { *err = nil }},
			"Confirm of a change that was never committed succeeds"},
		{"discards once only", toyRestorer{discard: func(d *toyDevice, err *error) {
			if d.rolled["discarded"] {
				*err = errors.New("not there")
			}
			d.rolled["discarded"] = true
		}}, "the second time, Discard fails"},
		{"leaves the pending change", toyRestorer{discard: func(d *toyDevice, _ *error) {
			if d.before != "" {
				d.running = "hostname t2\nend\n"
			}
		}}, "after Discard of a pending change, the running configuration is not"},
		{"does not know its state", toyRestorer{status: func(_ *toyDevice, s *plugins.State, _ *time.Duration) { *s = plugins.StateUnknown }},
			"before anything, Status says unknown"},
		{"forgets that it confirmed", toyRestorer{status: func(d *toyDevice, s *plugins.State, _ *time.Duration) {
			if *s == plugins.StateConfirmed {
				*s = plugins.StateNone
			}
		}}, "after Confirm, Status says none"},
		{"does not know the time left", toyRestorer{status: func(_ *toyDevice, _ *plugins.State, left *time.Duration) { *left = 0 }},
			"0s of 5m0s are left"},
		{"panics", toyRestorer{stage: func(_ *toyDevice, _ *plugins.Diff, _ *error) { panic("no") }}, "panics: no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := plugintest.CheckRestorer(t.Context(), tt.driver, toyRestore(), quick())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want %s, got\n%v", tt.want, err)
			}
		})
	}
	t.Run("accepts what the device rejects", func(t *testing.T) {
		r := toyRestore()
		r.Bad = r.Want
		err := plugintest.CheckRestorer(t.Context(), toyRestorer{}, r, quick())
		if err == nil || !strings.Contains(err.Error(), "instead of a *RejectedError") {
			t.Errorf("got %v", err)
		}
	})
}
