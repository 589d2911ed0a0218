// Package plugintest is the conformance kit for drivers: it runs a driver
// against recorded fixtures, breaks the conversation in every way that a real
// network does, and checks what the contracts of package plugins promise.
//
// One law stands above the others: an export that was damaged on the way never
// comes out Complete with other bytes. The rest: no panic, no goroutine left
// behind, no deadline ignored, no secret in an error, a reason, a residual or
// a log; Normalize is deterministic and accounts for every line once; Info is
// pure and right. Every planned fault must have happened, or the kit fails.
//
// [Run] takes any plugins.Driver: one linked into the test, or one in another
// process, which package plugins/host offers in the same form. It returns
// errors and never imports testing, so that "cfgvault plugin test" can run it
// on a third party's plugin. It opens no connection, knows no platform, and
// does not check what a driver writes to a device: [CheckRestorer] does that,
// on a device that the caller simulates.
package plugintest

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// Options bound a run. The zero value is usable.
type Options struct {
	// Grace is the time that a driver has to return after its context is done;
	// 0: 2 s.
	Grace time.Duration
	// Timeout bounds a call that nothing hinders; 0: 60 s.
	Timeout time.Duration
	// Cuts sets at how many places the output of one command is cut. An output
	// of fewer bytes is cut at each, a longer one at about twice as many places
	// as this, between lines before all; 0: 160.
	Cuts int
	// Huge is the size of an oversized output; 0: 10 MB.
	Huge int
	// Remote says that the driver runs in another process: what it leaves
	// behind there, and whether it has the methods that it lists, cannot be
	// seen from here.
	Remote bool
	// Crashed reports whether an error says that the driver's process failed;
	// nil: none does. After maxCrashes the rest of a fixture is left out.
	Crashed func(error) bool
	// Logs returns what was logged so far, by the host of a driver in another
	// process for example; nil: nothing is.
	Logs func() string
	// Validate checks a tree; nil: against the common modules.
	Validate func(tree []byte) error
}

const maxCrashes = 5

func (o Options) withDefaults() Options {
	if o.Grace == 0 {
		o.Grace = 2 * time.Second
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.Cuts == 0 {
		o.Cuts = 160
	}
	if o.Huge == 0 {
		o.Huge = 10_000_000
	}
	if o.Validate == nil {
		o.Validate = validateCommon
	}
	return o
}

// Law names what a driver must hold to.
type Law string

// The laws.
const (
	LawTruncated     Law = "truncated is not complete"       // a damaged export is not Complete with other bytes
	LawExport        Law = "export as expected"              // the fixture's verdict, reasons and artefacts
	LawExportForm    Law = "exports are well formed"         // names, roles, reasons, required artefacts
	LawIdentify      Law = "facts as expected"               // the fixture's facts; never the wrong unit
	LawReadOnly      Law = "reading changes nothing"         // no Write command in Identify and Export
	LawPanic         Law = "no panic"                        //
	LawDeadline      Law = "deadlines are kept"              // returns within Options.Grace
	LawLeak          Law = "no goroutine is left behind"     //
	LawCanary        Law = "secrets stay secret"             // not in errors, reasons, residuals, logs
	LawFired         Law = "every planned fault happens"     // the driver asks for the same commands each time
	LawDeterministic Law = "same input, same answer"         // Info, Normalize
	LawValid         Law = "the tree is valid"               // against schemas.Common, as the fixture says
	LawAccount       Law = "every line is accounted once"    // Residual and Coverage
	LawPure          Law = "pure methods leave their input"  // Normalize does not change artefacts
	LawInfo          Law = "the declaration is right"        // Info
	LawRestore       Law = "a change has a way out"          // CheckRestorer
	LawFixture       Law = "the fixture fits the driver"     // what is wrong with the fixture itself
	LawConcurrent    Law = "sessions do not mix"             // concurrent calls with different sessions
	LawForeign       Law = "another platform is not claimed" // Identify fails on a device that knows no command
)

// Violation is one law broken. Its text holds no secret of the fixture.
type Violation struct {
	Driver  string
	Fixture string // empty: not about one fixture
	Form    string // "exec" or "shell": how commands were run; empty: no device
	Fault   string // what was done to the driver; empty: nothing
	Law     Law
	Detail  string
	More    int // how many like it were left out
}

// Error names driver, fixture, form and fault, the law and what was seen.
func (v *Violation) Error() string {
	var b strings.Builder
	b.WriteString(v.Driver)
	if v.Fixture != "" {
		b.WriteString(": " + v.Fixture)
	}
	if v.Form != "" {
		b.WriteString(" (" + v.Form + ")")
	}
	if v.Fault != "" {
		b.WriteString(": " + v.Fault)
	}
	b.WriteString(": " + string(v.Law) + ": " + v.Detail)
	if v.More > 0 {
		fmt.Fprintf(&b, " (and %d like it)", v.More)
	}
	return b.String()
}

// Run checks the driver's Info, then each fixture: identify, export and
// normalise undisturbed, then export again with every fault. The error joins a
// *Violation for each law broken; violations that differ only in the place of
// a cut are counted together. It is ctx's error if ctx ends first.
func Run(ctx context.Context, driver plugins.Driver, fixtures []Fixture, o Options) error {
	k := &kit{driver: driver, o: o.withDefaults()}
	k.checkInfo()
	if len(fixtures) == 0 {
		k.broken(at{}, LawFixture, "there is no fixture")
	}
	for _, f := range fixtures {
		if ctx.Err() != nil {
			break
		}
		k.fixture(ctx, f)
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(append(k.errors(), err)...)
	}
	return errors.Join(k.errors()...)
}

// kit is one run.
type kit struct {
	driver   plugins.Driver
	o        Options
	info     plugins.Info
	text     *plugins.Text
	canaries []string // of the fixture at hand

	mu         sync.Mutex
	violations []*Violation
	index      map[string]*Violation
	logsSeen   int
	crashes    int // of the fixture at hand
}

// at says where the kit is.
type at struct {
	fixture, form string
	fault         string // with the place of a cut
	group         string // without it: violations of one group are counted together
}

func (k *kit) broken(a at, law Law, format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	group := a.group
	if group == "" {
		group = a.fault
	}
	key := strings.Join([]string{a.fixture, a.form, group, string(law)}, "\x00")
	if v := k.index[key]; v != nil {
		v.More++
		return
	}
	v := &Violation{Driver: k.info.Name, Fixture: a.fixture, Form: a.form, Fault: a.fault, Law: law, Detail: k.clean(fmt.Sprintf(format, args...))}
	if k.index == nil {
		k.index = map[string]*Violation{}
	}
	k.index[key] = v
	k.violations = append(k.violations, v)
}

// clean hides the canaries of a text and bounds it.
func (k *kit) clean(s string) string {
	for _, c := range k.canaries {
		s = strings.ReplaceAll(s, c, plugins.Hidden)
	}
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func (k *kit) errors() []error {
	out := make([]error, len(k.violations))
	for i, v := range k.violations {
		out[i] = v
	}
	return out
}

// checkCanaries looks for secrets where none may be.
func (k *kit) checkCanaries(a at, where, text string) {
	for _, c := range k.canaries {
		if strings.Contains(text, c) {
			k.broken(a, LawCanary, "%s shows a secret: %s", where, text)
			return
		}
	}
}

func (k *kit) checkError(a at, where string, err error) {
	if err == nil {
		return
	}
	k.crashed(a, where, err)
	k.checkCanaries(a, "the error of "+where, err.Error())
	// What an error carries beside its text is for the agent to redact; what
	// prints by itself is not.
	k.checkCanaries(a, "the error of "+where, fmt.Sprintf("%+v", err))
}

// crashed reports whether the driver's process failed.
func (k *kit) crashed(a at, where string, err error) {
	if err == nil || k.o.Crashed == nil || !k.o.Crashed(err) {
		return
	}
	k.broken(a, LawPanic, "the driver's process fails in %s: %v", where, err)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.crashes++
}

// hopeless reports that the process failed too often to go on.
func (k *kit) hopeless() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.crashes >= maxCrashes
}

func (k *kit) checkLogs(a at) {
	if k.o.Logs == nil {
		return
	}
	text := k.o.Logs()
	fresh := text[min(k.logsSeen, len(text)):]
	k.logsSeen = len(text)
	k.checkCanaries(a, "the log", fresh)
}

// call runs f and holds it to its deadline: Options.Timeout, and Options.Grace
// once ctx is done. free is called when the deadline has passed, to wake what
// hangs in a session for ever; what still does not return is left behind. It
// reports whether f returned.
func (k *kit) call(ctx context.Context, a at, what string, free func(), f func(context.Context)) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				k.broken(a, LawPanic, "%s panics: %v", what, p)
			}
		}()
		f(ctx)
	}()
	late := func(why string) bool {
		if free != nil {
			free()
		}
		k.broken(a, LawDeadline, "%s does not return within %s", what, why)
		select {
		case <-done:
			return true
		case <-time.After(k.o.Grace):
			return false
		}
	}
	timeout := time.NewTimer(k.o.Timeout)
	defer timeout.Stop()
	select {
	case <-done:
		return true
	case <-timeout.C:
		return late(k.o.Timeout.String())
	case <-ctx.Done():
	}
	grace := time.NewTimer(k.o.Grace)
	defer grace.Stop()
	select {
	case <-done:
		return true
	case <-grace.C:
		return late(k.o.Grace.String() + " after its context was done")
	}
}

// runs numbers the runs of a process, so that each finds its own goroutines.
var runs atomic.Int64

// watched runs f and reports goroutines that it left behind. They are found by
// a label that every goroutine inherits from the one that starts it.
func (k *kit) watched(ctx context.Context, a at, f func(context.Context)) {
	if k.o.Remote {
		f(ctx)
		return
	}
	label := "run-" + strconv.FormatInt(runs.Add(1), 10)
	done := make(chan struct{})
	go func() { // a goroutine of its own, so that the caller's labels stay
		defer close(done)
		pprof.Do(ctx, pprof.Labels("plugintest", label), f)
	}()
	<-done
	mark := `"plugintest":"` + label + `"`
	for deadline := time.Now().Add(k.o.Grace); ; time.Sleep(5 * time.Millisecond) {
		left := labelled(mark)
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			k.broken(a, LawLeak, "%s", left)
			return
		}
	}
}

// labelled returns the place of a goroutine that carries the label, or "".
func labelled(mark string) string {
	var b strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return ""
	}
	for _, g := range strings.Split(b.String(), "\n\n") {
		if !strings.Contains(g, mark) {
			continue
		}
		var frames []string
		for line := range strings.Lines(g) {
			if f := strings.Fields(line); len(f) >= 3 && f[0] == "#" && strings.HasPrefix(f[1], "0x") {
				frames = append(frames, f[2])
			}
		}
		return "still running: " + strings.Join(frames, " < ")
	}
	return ""
}
