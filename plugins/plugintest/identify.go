package plugintest

import (
	"context"
	"reflect"
	"slices"

	"github.com/cfgvault/cfgvault/plugins"
)

// identify compares the facts, undisturbed and with each answer damaged, and on
// a device that is something else.
func (k *kit) identify(ctx context.Context, a at, f *Fixture) {
	facts, err, r, returned := k.facts(ctx, a, f, nil)
	if !returned {
		return
	}
	if err != nil {
		k.broken(a, LawIdentify, "fails: %v%s", err, unknownCommands(r))
		return
	}
	if !reflect.DeepEqual(facts, f.Facts) {
		k.broken(a, LawIdentify, "got %+v, the fixture says %+v", facts, f.Facts)
	}
	for _, q := range r.Log() {
		var plans []*fault
		for _, kind := range []faultKind{faultLost, faultHang, faultRefused} {
			plans = append(plans, &fault{kind: kind, stream: q.Stream, text: q.Text, nth: q.Nth})
		}
		if _, answers := f.find(q.Text); !q.Stream && len(answers) > 0 {
			text := answers[min(q.Nth, len(answers))-1].stdout
			for i, at := range k.places(text) {
				kind := []faultKind{faultCutLost, faultCut}[i%2]
				plans = append(plans, &fault{kind: kind, text: q.Text, nth: q.Nth, at: at, of: len(text)})
			}
		}
		for _, p := range plans {
			if ctx.Err() != nil || k.hopeless() {
				return
			}
			b := a
			b.fault, b.group = "identify: "+p.String(), "identify: "+p.group()
			got, err, r, returned := k.facts(ctx, b, f, p)
			if !returned {
				continue
			}
			if !r.hasFired() {
				k.broken(b, LawFired, "the driver did not ask this time")
			}
			if err == nil && !subset(got.Serials, f.Facts.Serials) {
				k.broken(b, LawIdentify, "reports serials %v, which no unit here has", got.Serials)
			}
		}
	}
	a.fault = "a device that knows no command of the driver"
	if got, err, _, returned := k.facts(ctx, a, foreign(f), nil); returned && err == nil {
		k.broken(a, LawForeign, "Identify succeeds: %+v", got)
	}
}

// foreign is a device of another platform than f's.
func foreign(f *Fixture) *Fixture {
	return &Fixture{Name: f.Name, Unknown: f.Unknown, Options: f.Options}
}

func subset(have, of []string) bool {
	for _, h := range have {
		if !slices.Contains(of, h) {
			return false
		}
	}
	return true
}

func (k *kit) facts(ctx context.Context, a at, f *Fixture, plan *fault) (plugins.Facts, error, *Replay, bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := newReplay(f, a.form, plan)
	r.hung = cancel
	type result struct {
		facts plugins.Facts
		err   error
	}
	got := make(chan result, 1)
	k.call(ctx, a, "Identify", r.release, func(ctx context.Context) {
		facts, err := k.driver.Identify(ctx, r)
		got <- result{facts, err}
	})
	k.done(a, r)
	select {
	case x := <-got:
		k.checkError(a, "Identify", x.err)
		k.readOnly(a, "Identify", r)
		return x.facts, x.err, r, true
	default:
		return plugins.Facts{}, nil, r, false
	}
}
