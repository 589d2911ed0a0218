package eos

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	eossim "github.com/cfgvault/cfgvault/plugins/simulate/eos"
)

var epoch = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// bench is a simulated switch, its clock and the driver.
type bench struct {
	*testing.T
	ctx   context.Context
	dev   *device.Device
	clock *device.ManualClock
	s     plugins.Session
	drv   plugins.Restorer
}

func newBench(t *testing.T, o device.Options, v ...eossim.Variant) *bench {
	t.Helper()
	clock := device.NewManualClock(epoch)
	o.Clock = clock
	if o.Config == "" {
		o.Config = eossim.Sample
	}
	dev := eossim.New(o, append(v, eossim.Variant{})[0])
	t.Cleanup(func() { dev.Close() })
	return &bench{T: t, ctx: t.Context(), dev: dev, clock: clock, s: dev.Session(), drv: New().(plugins.Restorer)}
}

func (b *bench) export() *plugins.Export {
	b.Helper()
	e, err := b.drv.Export(b.ctx, b.s)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func (b *bench) state(want plugins.State) time.Duration {
	b.Helper()
	got, left, err := b.drv.Status(b.ctx, b.s, "c1")
	if err != nil || got != want {
		b.Errorf("state %s (%v), want %s", got, err, want)
	}
	return left
}

func (b *bench) stage(want []plugins.Artefact) plugins.Diff {
	b.Helper()
	d, err := b.drv.Stage(b.ctx, b.s, "c1", want)
	if err != nil {
		b.Fatal(err)
	}
	return d
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// user runs commands on one login of its own, as another user would.
func (b *bench) user(commands ...string) string {
	b.Helper()
	cli, err := b.dev.Session().CLI(b.ctx)
	b.must(err)
	defer cli.Close()
	all := ""
	for _, c := range commands {
		out, err := cli.Run(b.ctx, plugins.Command{Text: c})
		if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
			b.Fatal(err)
		}
		all += string(out.Stdout)
	}
	return all
}

const within = 5 * time.Minute

func TestRoundTrip(t *testing.T) {
	for _, layout := range []eossim.Layout{eossim.LayoutNew, eossim.LayoutOld} {
		b := newBench(t, device.Options{}, eossim.Variant{Layout: layout})
		before, saved := b.dev.Running(), b.dev.Startup()
		e := b.export()
		if e.Verdict != plugins.Complete || e.FactoryDefault || string(e.Artefacts[0].Data) != before {
			t.Fatalf("export %s %v", e.Verdict, e.Reasons)
		}
		b.dev.FactoryReset()
		if wiped := b.export(); !wiped.FactoryDefault || wiped.Verdict != plugins.Complete {
			t.Errorf("a wiped switch: %s %v, factory default %v", wiped.Verdict, wiped.Reasons, wiped.FactoryDefault)
		}
		b.state(plugins.StateNone)
		wiped := b.dev.Running()
		d := b.stage(e.Artefacts)
		if !strings.Contains(d.Text, "+hostname leaf1\n") || len(d.Losses) > 0 {
			t.Errorf("diff %q, losses %v", d.Text, d.Losses)
		}
		if b.dev.Running() != wiped || b.dev.Startup() != "" {
			t.Error("staging changed the switch")
		}
		b.state(plugins.StateStaged)
		b.must(b.drv.Commit(b.ctx, b.s, "c1", within))
		if left := b.state(plugins.StatePending); left != within {
			t.Errorf("%s left, want %s", left, within)
		}
		if b.dev.Startup() != "" {
			t.Error("the commit saved")
		}
		b.must(b.drv.Confirm(b.ctx, b.s, "c1"))
		b.state(plugins.StateConfirmed)
		b.must(b.drv.Confirm(b.ctx, b.s, "c1"))
		b.must(b.drv.Discard(b.ctx, b.s, "c1"))
		b.clock.Advance(2 * within)
		if got := b.dev.Running(); got != before {
			t.Errorf("running after the restore:\n%s\nwant\n%s", got, before)
		}
		if !equal(b.dev.Startup(), saved) {
			t.Error("startup configuration is another one")
		}
		b.dev.Reload()
		if b.dev.Running() != before {
			t.Error("running configuration after a reload is another one")
		}
		if b.dev.Logins() != 0 {
			t.Error("a login was left open")
		}
	}
}

// TestPlan: what Stage says of the change, beside the difference.
func TestPlan(t *testing.T) {
	b := newBench(t, device.Options{})
	b.user("configure terminal", "vlan 40", "end") // not saved
	want := b.export().Artefacts
	want[0].Data = []byte(strings.NewReplacer("model multi-agent", "model ribd", "192.0.2.10/24", "192.0.2.12/24",
		"management api http-commands\n   no shutdown\n!\n", "").Replace(string(want[0].Data)))
	want = append(want, plugins.Artefact{Name: "flash/script", Role: plugins.RoleFile})
	d := b.stage(want)
	if !strings.Contains(strings.Join(d.Steps, "\n"), "in the snapshot they differed") {
		t.Errorf("steps %q", d.Steps)
	}
	if len(d.Disruptive) != 3 || d.Address != "192.0.2.12" {
		t.Errorf("disruptive %q, address %s", d.Disruptive, d.Address)
	}
	if len(d.Losses) != 1 || d.Losses[0].Artefact != "flash/script" {
		t.Errorf("losses %v", d.Losses)
	}
	// Staged again with another wish, the session holds only that.
	same := b.export().Artefacts
	if d = b.stage(same); d.Text != "" || len(d.Losses)+len(d.Disruptive) > 0 || d.Address != "" {
		t.Errorf("a change of nothing: %+v", d)
	}
}
