package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cfgvault/cfgvault/vault"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Note    Level = "note"    // good to know
	Warning Level = "warning" // weaker than it could be
	Unfit   Level = "fault"   // do not keep a vault here
)

// Finding is one thing that Analyze found out about a store.
type Finding struct {
	Level Level  `json:"level"`
	Code  string `json:"code"` // closed and stable: lower-case words joined by '-'
	Text  string `json:"text"` // what was found and what to do
}

// Tamperer is the optional power of a store to do what a vault never does, so
// that Analyze can find out whether these credentials could. An error that is
// fs.ErrPermission means that the store forbids it.
type Tamperer interface {
	// Overwrite puts without the condition that the object is not there.
	Overwrite(ctx context.Context, key string, data []byte) error
	// Delete removes the object, or hides it.
	Delete(ctx context.Context, key string) error
}

// Protector is the optional power of a store to tell how it protects objects.
type Protector interface {
	// Protection says whether the store keeps versions of objects, and whether
	// it locks new ones by default and for how long. errors.ErrUnsupported or
	// fs.ErrPermission if it does not tell.
	Protection(ctx context.Context) (versions bool, lock time.Duration, err error)
}

// Analyze finds out what a store really does: whether it honours conditions,
// lists in order and completely, shows at once what was put, and what a thief
// with these credentials could do. It writes some small objects below
// "storetest/", and deletes only these. It takes a few seconds.
func Analyze(ctx context.Context, store vault.Store) []Finding {
	a := &analysis{session: newSession(ctx, store)}
	for _, probe := range []func(*analysis){
		(*analysis).write, (*analysis).condition, (*analysis).race, (*analysis).reading, (*analysis).order, (*analysis).clock,
		(*analysis).overwrite, (*analysis).protection,
	} {
		probe(a)
		if a.stop || ctx.Err() != nil {
			break
		}
	}
	return a.findings
}

type analysis struct {
	*session
	findings []Finding
	stop     bool // nothing more can be found out
	blind    bool // these credentials may not read
}

func (a *analysis) add(l Level, code, format string, args ...any) {
	a.findings = append(a.findings, Finding{l, code, fmt.Sprintf(format, args...)})
}

func (a *analysis) write() {
	err := a.put(a.key("first"), []byte("first"))
	switch {
	case errors.Is(err, fs.ErrPermission):
		a.add(Unfit, "write-refused", "the store refuses writing: %v", err)
	case err != nil:
		a.add(Unfit, "write-failed", "writing fails: %v", err)
	default:
		a.add(OK, "write", "objects can be created")
		return
	}
	a.stop = true
}

func (a *analysis) condition() {
	err := a.put(a.key("first"), []byte("other"))
	if errors.Is(err, fs.ErrExist) {
		a.add(OK, "condition", "an existing object is not replaced")
	} else if err == nil {
		a.add(Unfit, "condition-ignored", "the store replaced an object although it was told not to: a vault here can be overwritten by mistake")
	} else {
		a.add(Unfit, "condition-failed", "creating what exists fails with something else than a refusal: %v", err)
	}
	big := bytes.Repeat([]byte("x"), 17<<20) // where clients begin to upload in parts
	if err := a.put(a.key("big"), big); err != nil {
		a.add(Unfit, "big-failed", "an object of 17 MiB cannot be created: %v", err)
		return
	}
	big[0] = 'y'
	switch err := a.put(a.key("big"), big); {
	case err == nil:
		a.add(Unfit, "condition-ignored-big", "the store replaced a large object although it was told not to")
	case !errors.Is(err, fs.ErrExist):
		a.add(Note, "condition-unclear-big", "the store did not take a large object in the place of another, but broke off instead of refusing: %v", err)
	}
}

func (a *analysis) race() {
	if err := a.oneWinner(); err != nil && !errors.Is(err, fs.ErrPermission) {
		a.add(Unfit, "race", "of many writers of one object not exactly one wins: %v", err)
		return
	}
	a.add(OK, "race", "of many writers of one object exactly one wins")
}

func (a *analysis) reading() {
	err := a.expect(a.key("first"), []byte("first"))
	switch {
	case errors.Is(err, fs.ErrPermission):
		a.blind = true
		a.add(OK, "put-only", "these credentials cannot read: right for an agent; readers need others")
	case errors.Is(err, fs.ErrNotExist):
		a.add(Unfit, "read-late", "what was put cannot be read at once")
	case err != nil:
		a.add(Unfit, "read-failed", "what was put cannot be read: %v", err)
	default:
		a.add(OK, "read", "what was put can be read at once")
	}
}

func (a *analysis) order() {
	if a.blind {
		return
	}
	err := a.listing()
	switch {
	case errors.Is(err, fs.ErrPermission):
		a.add(Note, "list-refused", "these credentials cannot list; readers need others")
	case err != nil:
		a.add(Unfit, "list", "listings are not complete and in lexical order at once: %v", err)
	default:
		a.add(OK, "list", "listings are complete and in lexical order at once")
	}
}

func (a *analysis) clock() {
	c, ok := a.store.(vault.Clock)
	if !ok {
		a.add(Note, "clock-unknown", "the store does not tell its time: a wrong clock of an agent is not noticed")
		return
	}
	t, err := c.Time(a.ctx)
	if err != nil {
		a.add(Note, "clock-unknown", "the store does not tell its time: %v", err)
		return
	}
	if d := time.Since(t).Round(time.Second); d > time.Minute || d < -time.Minute {
		a.add(Warning, "clock", "the store's clock and this machine's differ by %s; at 5 minutes backups stop", d)
		return
	}
	a.add(OK, "clock", "the store's clock agrees with this machine's")
}

func (a *analysis) overwrite() {
	t, ok := a.store.(Tamperer)
	if !ok {
		return
	}
	key := a.key("victim")
	if err := a.put(key, []byte("victim")); err != nil {
		a.add(Unfit, "write-failed", "writing fails: %v", err)
		return
	}
	for _, act := range []struct {
		code, what string
		try        func() error
	}{
		{"overwrite", "overwrite", func() error { return t.Overwrite(a.ctx, key, []byte("changed")) }},
		{"delete", "delete", func() error { return t.Delete(a.ctx, key) }},
	} {
		err := act.try()
		if errors.Is(err, fs.ErrPermission) {
			a.add(OK, act.code+"-refused", "these credentials cannot %s objects", act.what)
			continue
		}
		if err != nil {
			a.add(Note, act.code+"-unknown", "whether these credentials could %s objects is not known: %v", act.what, err)
			continue
		}
		if v, ok := a.store.(vault.Versions); ok && !a.blind {
			if _, err := v.GetVersion(a.ctx, key, 100, func(b []byte) bool { return string(b) == "victim" }); err == nil {
				a.add(Note, act.code+"-kept", "these credentials can %s objects, but the store keeps the versions before, and readers find them", act.what)
				continue
			}
		}
		a.add(Warning, act.code+"-possible", "these credentials can %s objects for good: use a bucket with versions and a default retention, and put-only credentials for agents", act.what)
	}
}

func (a *analysis) protection() {
	p, ok := a.store.(Protector)
	if !ok {
		return
	}
	versions, lock, err := p.Protection(a.ctx)
	switch {
	case err != nil:
		a.add(Note, "protection-unknown", "the store does not tell whether it keeps versions and locks objects: %v", err)
	case !versions:
		a.add(Warning, "versions-off", "the store keeps no versions: turn versioning on")
	case lock == 0:
		a.add(Warning, "lock-off", "versions are kept, but not locked: who may delete versions can destroy them; set a default retention in compliance mode")
	default:
		a.add(OK, "locked", "new objects are kept and locked for %d days", int(lock.Hours()/24))
	}
}
