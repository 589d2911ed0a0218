package plugintest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
)

// forms are the ways to run commands that fixture and driver have in common.
func (k *kit) forms(f *Fixture) []string {
	var has []string
	for _, t := range k.info.Transports {
		switch t {
		case plugins.TransportExec:
			has = append(has, formExec)
		case plugins.TransportShell:
			has = append(has, formShell)
		}
	}
	if len(f.Forms) == 0 {
		return has
	}
	return slices.DeleteFunc(has, func(form string) bool { return !slices.Contains(f.Forms, form) })
}

func (k *kit) fixture(ctx context.Context, f Fixture) {
	k.canaries, k.crashes = f.Canaries, 0
	defer func() { k.canaries = nil }()
	where := at{fixture: f.Name}
	k.checkFixture(where, &f)
	forms := k.forms(&f)
	if len(forms) == 0 {
		k.broken(where, LawFixture, "the driver has none of its forms %v", f.Forms)
	}
	for _, form := range forms {
		where.form = form
		k.watched(ctx, where, func(ctx context.Context) { k.device(ctx, where, &f) })
		k.checkLogs(where)
	}
	where.form = ""
	k.watched(ctx, where, func(ctx context.Context) { k.normalize(ctx, where, &f) })
	k.checkLogs(where)
}

// checkFixture looks for faults of the fixture that would make the kit blind.
func (k *kit) checkFixture(a at, f *Fixture) {
	for _, c := range f.Canaries {
		found := false
		for _, answers := range f.answers {
			for _, x := range answers {
				found = found || bytes.Contains(x.stdout, []byte(c)) || bytes.Contains(x.stderr, []byte(c))
			}
		}
		for _, s := range f.streams {
			found = found || bytes.Contains(s, []byte(c))
		}
		if len(c) < 5 || !found {
			k.broken(a, LawFixture, "a canary is shorter than 5 bytes or in no answer")
		}
		if k.text != nil {
			for _, art := range f.Artefacts {
				if bytes.IndexByte(art.Data, 0) < 0 && strings.Contains(k.text.Redact(art.Name, string(art.Data)), c) {
					k.broken(a, LawCanary, "Info.Secrets do not hide a secret of artefact %s", art.Name)
				}
			}
		}
	}
}

// device runs everything that needs a session.
func (k *kit) device(ctx context.Context, a at, f *Fixture) {
	k.identify(ctx, a, f)
	log, ok := k.undisturbed(ctx, a, f)
	if !ok {
		return // every fault would only repeat it
	}
	k.concurrent(ctx, a, f)
	if k.info.Can(plugins.CapFacts) {
		b := a
		b.fault = "a device that knows no command of the driver"
		if e, err, returned := k.export(ctx, b, newReplay(foreign(f), a.form, nil)); returned && err == nil {
			k.broken(b, LawForeign, "Export succeeds: %+v", e.Facts)
		}
	}
	for _, plan := range k.plan(f, a.form, log) {
		if ctx.Err() != nil || k.hopeless() {
			return
		}
		k.faulted(ctx, a, f, plan)
	}
}

// done takes a session back from a driver in another process.
func (k *kit) done(a at, r *Replay) {
	if d, ok := k.driver.(interface{ Release(plugins.Session) }); ok {
		d.Release(r)
	}
	if left := r.close(); left > 0 && !k.o.Remote {
		k.broken(a, LawLeak, "%d streams are left open", left)
	}
}

// export runs one export. returned is false if it never came back.
func (k *kit) export(ctx context.Context, a at, r *Replay) (e *plugins.Export, err error, returned bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.hung = cancel
	type result struct {
		e   *plugins.Export
		err error
	}
	got := make(chan result, 1)
	k.call(ctx, a, "Export", r.release, func(ctx context.Context) {
		e, err := k.driver.Export(ctx, r)
		got <- result{e, err}
	})
	k.done(a, r)
	select {
	case x := <-got:
		k.checkError(a, "Export", x.err)
		if x.err == nil && x.e == nil {
			k.broken(a, LawExportForm, "Export returns nothing and no error")
			return nil, errors.New("nothing"), false
		}
		if x.e != nil {
			k.checkExport(a, x.e)
		}
		k.readOnly(a, "Export", r)
		return x.e, x.err, true
	default:
		return nil, nil, false
	}
}

func (k *kit) readOnly(a at, what string, r *Replay) {
	for _, q := range r.Log() {
		if q.Write {
			k.broken(a, LawReadOnly, "%s sends %q as a command that writes", what, q.Text)
		}
	}
}

// undisturbed exports twice and compares with the fixture.
func (k *kit) undisturbed(ctx context.Context, a at, f *Fixture) ([]Request, bool) {
	var log []Request
	for range 2 {
		r := newReplay(f, a.form, nil)
		e, err, returned := k.export(ctx, a, r)
		if !returned {
			return nil, false
		}
		if err != nil {
			k.broken(a, LawExport, "fails: %v%s", err, unknownCommands(r))
			return nil, false
		}
		if !k.asExpected(a, f, e, r) {
			return nil, false
		}
		log = r.Log()
	}
	return log, true
}

// unknownCommands says which requests the fixture has no answer for.
func unknownCommands(r *Replay) string {
	var names []string
	for _, q := range r.Log() {
		if q.Unknown {
			names = append(names, q.Text)
		}
	}
	if names == nil {
		return ""
	}
	return fmt.Sprintf(" (the fixture has no answer to %q)", names)
}

func codes(reasons []plugins.Reason) []string {
	var out []string
	for _, r := range reasons {
		out = append(out, r.Code)
	}
	slices.Sort(out)
	return out
}

func (k *kit) asExpected(a at, f *Fixture, e *plugins.Export, r *Replay) bool {
	ok := true
	bad := func(format string, args ...any) {
		k.broken(a, LawExport, format, args...)
		ok = false
	}
	if e.Verdict != f.Verdict {
		bad("verdict %s %v, the fixture says %s%s", e.Verdict, codes(e.Reasons), f.Verdict, unknownCommands(r))
	}
	for _, x := range []struct {
		what       string
		have, want []string
	}{{"reasons", codes(e.Reasons), f.Reasons}, {"reasons not to restore", codes(e.NoRestore), f.NoRestore}} {
		want := slices.Sorted(slices.Values(x.want))
		if !slices.Equal(slices.Compact(x.have), slices.Compact(want)) {
			bad("%s %v, the fixture says %v", x.what, x.have, want)
		}
	}
	if e.FactoryDefault != f.FactoryDefault {
		bad("factory default is %v, the fixture says %v", e.FactoryDefault, f.FactoryDefault)
	}
	switch can := k.info.Can(plugins.CapFacts); {
	case can && (e.Facts == nil || !reflect.DeepEqual(*e.Facts, f.Facts)):
		k.broken(a, LawIdentify, "the export has the facts %+v, the fixture says %+v", e.Facts, f.Facts)
		ok = false
	case !can && e.Facts != nil:
		k.broken(a, LawInfo, "the export has facts and the capability %q is not listed", plugins.CapFacts)
		ok = false
	}
	names := func(as []plugins.Artefact) (out []string) {
		for _, x := range as {
			out = append(out, x.Name+" "+string(x.Role))
		}
		return out
	}
	if !slices.Equal(names(e.Artefacts), names(f.Artefacts)) {
		bad("artefacts %v, the fixture says %v", names(e.Artefacts), names(f.Artefacts))
		return false
	}
	for i, x := range e.Artefacts {
		if !bytes.Equal(x.Data, f.Artefacts[i].Data) {
			bad("artefact %s: %s", x.Name, difference(x.Data, f.Artefacts[i].Data))
		}
	}
	return ok
}

// difference says where two texts differ without showing them.
func difference(have, want []byte) string {
	i := 0
	for i < len(have) && i < len(want) && have[i] == want[i] {
		i++
	}
	return fmt.Sprintf("%d bytes, the fixture has %d; they differ from line %d on", len(have), len(want), 1+bytes.Count(have[:i], []byte("\n")))
}

var codeRE = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// checkExport holds any export to its form.
func (k *kit) checkExport(a at, e *plugins.Export) {
	switch e.Verdict {
	case plugins.Complete:
		if len(e.Reasons) > 0 {
			k.broken(a, LawExportForm, "Complete with reasons %v", codes(e.Reasons))
		}
	case plugins.Partial, plugins.Unknown:
		if len(e.Reasons) == 0 {
			k.broken(a, LawExportForm, "%s without a reason", e.Verdict)
		}
	default:
		k.broken(a, LawExportForm, "no such verdict: %q", e.Verdict)
	}
	for _, r := range append(slices.Clone(e.Reasons), e.NoRestore...) {
		if !codeRE.MatchString(r.Code) || r.Text == "" {
			k.broken(a, LawExportForm, "the reason %q has no code in lower case or no text", r.Code)
		}
		k.checkCanaries(a, "a reason", r.Code+" "+r.Text)
	}
	have := map[string]bool{}
	for _, x := range e.Artefacts {
		if !artefactName(x.Name) {
			k.broken(a, LawExportForm, "the artefact name %q is not relative and clean", x.Name)
		}
		if have[x.Name] {
			k.broken(a, LawExportForm, "artefact %s is there twice", x.Name)
		}
		have[x.Name] = true
		if !slices.Contains(roles(), x.Role) || !slices.Contains(binds(), x.Bind) {
			k.broken(a, LawExportForm, "artefact %s has role %q and bind %q", x.Name, x.Role, x.Bind)
		}
	}
	if e.Verdict != plugins.Complete {
		return
	}
	if len(e.Artefacts) == 0 {
		k.broken(a, LawExportForm, "Complete without an artefact")
	}
	for _, s := range k.info.Artefacts {
		if s.Required && !have[s.Name] {
			k.broken(a, LawTruncated, "Complete without %s, which is required", s.Name)
		}
	}
}

// faulted exports with one fault.
func (k *kit) faulted(ctx context.Context, a at, f *Fixture, plan *fault) {
	a.fault, a.group = plan.String(), plan.group()
	r := newReplay(f, a.form, plan)
	e, err, returned := k.export(ctx, a, r)
	if !r.hasFired() {
		k.broken(a, LawFired, "the driver did not ask this time")
		return
	}
	if returned && err == nil && e.Facts != nil && !subset(e.Facts.Serials, f.Facts.Serials) {
		k.broken(a, LawIdentify, "the export reports serials %v, which no unit here has", e.Facts.Serials)
	}
	if !returned || err != nil || e.Verdict != plugins.Complete {
		return
	}
	want := map[string]plugins.Artefact{}
	for _, x := range f.Artefacts {
		want[x.Name] = x
	}
	for _, x := range e.Artefacts {
		w, known := want[x.Name]
		delete(want, x.Name)
		switch {
		case !known:
			k.broken(a, LawTruncated, "Complete with artefact %s, which the undisturbed export does not have", x.Name)
		case sameText(x.Data, w.Data):
		case plan.kind.noise() && kept(w.Data, x.Data):
		default:
			k.broken(a, LawTruncated, "Complete, but artefact %s: %s", x.Name, difference(x.Data, w.Data))
		}
	}
	for name := range want {
		// What the device refuses to give, and the driver does not require,
		// may be a unit that does not have it.
		if k.optional(name) && (plan.kind == faultRefused || plan.kind == faultStderr || plan.kind == faultEmpty) {
			continue
		}
		k.broken(a, LawTruncated, "Complete without artefact %s", name)
	}
}

func (k *kit) optional(name string) bool {
	for _, s := range k.info.Artefacts {
		if s.Name == name {
			return !s.Required
		}
	}
	return false
}

// concurrent exports over several sessions at once.
func (k *kit) concurrent(ctx context.Context, a at, f *Fixture) {
	const sessions = 4
	exports := make([]*plugins.Export, sessions)
	var wg sync.WaitGroup
	for i := range sessions {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if e, err, ok := k.export(ctx, a, newReplay(f, a.form, nil)); ok && err == nil {
				exports[i] = e
			}
		}()
	}
	wg.Wait()
	for _, e := range exports {
		if e == nil || !reflect.DeepEqual(e, exports[0]) {
			k.broken(a, LawConcurrent, "%d exports at once differ from each other or fail", sessions)
			return
		}
	}
}
