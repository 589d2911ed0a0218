// Package deadman gives devices without a confirm timer one of their own: a job
// on the device, armed before a change, that puts the old configuration back
// unless it is told in time that the change is good. The agent may die, the
// session may end and the link may go: the device heals by itself.
//
// The package knows how to arm, confirm, fire and ask; what it means to apply,
// put back and save a configuration the driver says, in four shell scripts. It
// works on Unix devices whose login runs commands by a POSIX shell (dash,
// busybox and bash are tested), without root where the driver's scripts need
// none. It does not decide how long to wait, opens no connection and keeps no
// state outside the device.
//
// On the device, all of a change lies in one folder of mode 0700 named from the
// change's id, below /var/lib/cfgvault for root (/etc/cfgvault where /var is in
// memory) and below .cfgvault in the home folder for other users. The timer, Confirm and Discard race by one rename(2)
// of the file "armed": exactly one wins. Time is counted in seconds of uptime,
// so that a clock that is set moves nothing.
package deadman

import (
	"archive/tar"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

//go:embed deadman.sh
var deviceScript []byte

//go:embed probe.sh
var probeScript []byte

// Timer is the dead-man of one change on one device. It holds no connection
// and no state: all of that is on the device. Safe for concurrent use.
type Timer struct {
	// ID is the change's id (see plugins.Restorer).
	ID string
	// Sudo runs everything as root, through "sudo -n" unless the login is root.
	Sudo bool
	// StartupIsOld says that the device's startup configuration is the old one
	// until Confirm, so that a reboot has rolled the change back.
	StartupIsOld bool
}

// Means are what a device offers to roll back by.
type Means struct {
	Dir    string // where changes lie on the device
	Runner string // what outlives the login: "systemd", "setsid" or "start-stop-daemon"
	Boot   string // what can roll back after a reboot: "systemd", "procd", "cron", "rc.local" or "none"
	Holder string // id of the change that is under way, which makes Commit fail with ErrBusy; empty: none
}

// File is one staged file, by its path below the change's folder.
type File struct {
	Name string
	Mode int64 // permission bits; 0: 0600
	Data []byte
	Link string // target, for a symbolic link
}

// Scripts are what a driver brings: POSIX shell, run in the change's folder
// with standard input closed. Prepare saves what Rollback needs and changes
// nothing; Apply makes the staged configuration the running one; Rollback puts
// back what Prepare saved and may run more than once (its first argument is
// "boot" after a reboot, else "now"); Save makes the running configuration the
// startup one and may run more than once. Status 0 is success.
type Scripts struct {
	Prepare, Apply, Rollback, Save string
}

// StepError says that one of the driver's scripts failed on the device. Text
// is what the script printed and may hold secrets; Error does not print it.
type StepError struct {
	Step string // "prepare", "apply", "rollback", "save"
	Text string
	// RolledBack says that the device is as it was.
	RolledBack bool
}

func (e *StepError) Error() string {
	switch {
	case e.Step == "rollback":
		return "the device could not put the old configuration back; its log is in the change's folder on the device"
	case e.RolledBack:
		return fmt.Sprintf("the device failed to %s the change and is as it was", e.Step)
	}
	return fmt.Sprintf("the device failed to %s the change", e.Step)
}

var validID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// What the device's side ends with.
const (
	rcOK         = 0
	rcNoTool     = 69 // the device lacks what the dead-man needs
	rcGone       = 70
	rcSave       = 72
	rcDisk       = 73
	rcRollback   = 74
	rcBusy       = 75
	rcRolledBack = 76
	rcPermission = 77
	rcPrepare    = 78
	rcApply      = 79
	rcNotStaged  = 66
	rcNotArmed   = 65
)

// Probe arms a harmless job and waits for it to run. It fails with
// ErrNotPermitted or errors.ErrUnsupported, with the reason, where no job
// outlives the login. It leaves nothing but the empty folder Means.Dir.
func Probe(ctx context.Context, s plugins.Session, sudo bool) (Means, error) {
	// A login that is no shell must not be fed a script.
	hello, err := s.Run(ctx, plugins.Command{Text: `sh -c 'echo cfgvault-$((40+2))'`})
	if err != nil {
		return Means{}, fmt.Errorf("ask for a shell: %w", err)
	}
	if !strings.Contains(string(hello.Stdout), "cfgvault-42") {
		if hello.End == plugins.EndCut {
			return Means{}, fmt.Errorf("ask for a shell: %w", plugins.ErrSessionLost)
		}
		return Means{}, fmt.Errorf("no dead-man: the login does not run a shell: %w", plugins.ErrNotPermitted)
	}
	a, err := run(ctx, s, plugins.Command{Text: become(sudo, "exec sh -s"), Input: probeScript, Write: true})
	if err != nil {
		return Means{}, fmt.Errorf("arm a harmless job: %w", err)
	}
	switch why := a.get("refused"); a.rc {
	case rcOK:
	case rcNoTool:
		return Means{}, fmt.Errorf("no dead-man: %s: %w", why, errors.ErrUnsupported)
	case rcPermission:
		return Means{}, fmt.Errorf("no dead-man: %s: %w", why, plugins.ErrNotPermitted)
	default:
		return Means{}, fmt.Errorf("no dead-man: %s", why)
	}
	m := Means{Dir: a.get("dir"), Runner: a.get("runner"), Boot: a.get("boot"), Holder: a.get("holder")}
	if !strings.HasPrefix(m.Dir, "/") || m.Runner == "" {
		return Means{}, errors.New("no dead-man: the device's answer to the probe cannot be read")
	}
	return m, nil
}

// Stage brings a change to the device: the driver's scripts and files. Boot
// arms a job that rolls back after a reboot too, by what Means.Boot says.
// Staging again replaces what was staged. It fails with ErrBusy if the change
// is further than staged or another one is under way.
func (t Timer) Stage(ctx context.Context, s plugins.Session, m Means, boot bool, sc Scripts, files []File) error {
	if !validID.MatchString(t.ID) {
		return fmt.Errorf("change id %q is not valid", t.ID)
	}
	if m.Holder != "" && m.Holder != t.ID {
		return fmt.Errorf("change %s is under way: %w", m.Holder, plugins.ErrBusy)
	}
	how := "none"
	if boot {
		how = m.Boot
	}
	own := []File{
		{Name: "deadman.sh", Mode: 0o700, Data: deviceScript},
		{Name: "runner", Data: []byte(m.Runner + "\n")},
		{Name: "boot", Data: []byte(how + "\n")},
		{Name: "prepare.sh", Data: []byte(sc.Prepare)},
		{Name: "apply.sh", Data: []byte(sc.Apply)},
		{Name: "rollback.sh", Data: []byte(sc.Rollback)},
		{Name: "save.sh", Data: []byte(sc.Save)},
		{Name: "staged"},
	}
	archive, err := pack(append(own, files...))
	if err != nil {
		return err
	}
	script := t.prelude() + `umask 077; for p in armed fired failed confirmed saved rolledback; do [ ! -e "$d/$p" ] || { echo "cfgvault rc 75"; exit; }; done; ` +
		`[ -d "$b" ] && find "$b" -name staged -mtime +7 | while read -r f; do rm -rf "${f%/staged}"; done; ` +
		`rm -rf "$d.part" && mkdir "$d.part" && tar -xof - -C "$d.part" && touch "$d.part/staged" && rm -rf "$d" "$d.done" && mv "$d.part" "$d" && echo "cfgvault rc 0" || { rm -rf "$d.part"; echo "cfgvault rc 73"; }`
	a, err := run(ctx, s, plugins.Command{Text: become(t.Sudo, script), Input: archive, Write: true})
	if err != nil {
		return fmt.Errorf("stage change %s: %w", t.ID, err)
	}
	return t.outcome("stage", a)
}

// Commit runs Prepare, arms the timer, and runs Apply in a process that
// survives the session. A failed Prepare changes nothing; a failed Apply is
// rolled back at once. ErrRolledBack: the timer ended while Apply ran.
// ErrSessionLost: ask Status. Returned is what Apply printed.
func (t Timer) Commit(ctx context.Context, s plugins.Session, within time.Duration) (string, error) {
	seconds := int64((within + time.Second - 1) / time.Second)
	if seconds < 1 {
		return "", fmt.Errorf("commit change %s: the time to confirm must be at least a second", t.ID)
	}
	a, err := t.operate(ctx, s, fmt.Sprintf("commit %d", seconds))
	if err != nil {
		return "", fmt.Errorf("commit change %s: %w", t.ID, err)
	}
	if a.rc == rcApply {
		step := &StepError{Step: "apply", Text: a.text}
		if err := t.Discard(ctx, s); err != nil {
			return a.text, errors.Join(step, err)
		}
		step.RolledBack = true
		return a.text, step
	}
	return a.text, t.outcome("prepare", a)
}

// Confirm stops the timer and runs Save. It fails with ErrRolledBack if the
// timer won, with ErrBusy while the change is still being applied and with a
// *StepError if applying it had failed (the timer then goes on); a failed Save is a *StepError, after which the change stands,
// unsaved, and Confirm may be tried again.
func (t Timer) Confirm(ctx context.Context, s plugins.Session) error {
	op := "confirm"
	if t.StartupIsOld {
		op = "confirm reboot"
	}
	a, err := t.operate(ctx, s, op)
	if err != nil {
		return fmt.Errorf("confirm change %s: %w", t.ID, err)
	}
	if a.rc == rcGone {
		return t.finished(a)
	}
	return t.outcome("save", a)
}

// Discard rolls back at once if the change is armed, and removes all of it but
// a marker. Discarding what is not there is not an error.
func (t Timer) Discard(ctx context.Context, s plugins.Session) error {
	a, err := t.operate(ctx, s, "discard")
	if err != nil {
		return fmt.Errorf("discard change %s: %w", t.ID, err)
	}
	if a.rc == rcGone {
		return nil
	}
	return t.outcome("rollback", a)
}

// Status says how far the change has come and how much time is left. StateUnknown
// comes with nothing left: the timer's job is gone, the rollback failed, or the
// change is confirmed but not saved; Confirm or Discard can still decide it.
func (t Timer) Status(ctx context.Context, s plugins.Session) (plugins.State, time.Duration, error) {
	a, err := t.operate(ctx, s, "status")
	if err != nil {
		return plugins.StateUnknown, 0, fmt.Errorf("status of change %s: %w", t.ID, err)
	}
	if a.rc == rcGone {
		switch a.get("done") {
		case "confirmed":
			return plugins.StateConfirmed, 0, nil
		case "rolledback":
			return plugins.StateRolledBack, 0, nil
		}
		return plugins.StateNone, 0, nil
	}
	if a.rc != rcOK {
		return plugins.StateUnknown, 0, t.outcome("status", a)
	}
	switch a.get("phase") {
	case "none":
		return plugins.StateNone, 0, nil
	case "staged":
		return plugins.StateStaged, 0, nil
	case "armed":
		left, err := strconv.Atoi(a.get("left"))
		switch {
		case t.StartupIsOld && a.get("rebooted") != "":
			return plugins.StateRolledBack, 0, nil
		case err != nil || a.get("timer") == "":
			return plugins.StateUnknown, 0, nil
		}
		return plugins.StatePending, time.Duration(max(left, 0)) * time.Second, nil
	case "fired":
		// The old configuration is on its way back; nothing can stop it.
		if a.get("timer") != "" {
			return plugins.StatePending, 0, nil
		}
		return plugins.StateUnknown, 0, nil
	case "saved":
		return plugins.StateConfirmed, 0, nil
	case "rolledback":
		return plugins.StateRolledBack, 0, nil
	}
	return plugins.StateUnknown, 0, nil
}

// Script is the command that runs a piece of shell in the change's folder,
// for what a driver asks the device before Commit.
func (t Timer) Script(text string) plugins.Command {
	return plugins.Command{Text: become(t.Sudo, t.prelude()+`cd "$d" || exit 70; umask 077; exec sh -s`), Input: []byte(text)}
}

// prelude sets b to the folder of all changes and d to that of this one.
func (t Timer) prelude() string {
	return `b=$HOME/.cfgvault; if [ "$(id -u)" = 0 ]; then b=/var/lib/cfgvault; [ ! -L /var ] || b=/etc/cfgvault; fi; d=$b/` + t.ID + `; `
}

func (t Timer) operate(ctx context.Context, s plugins.Session, op string) (answer, error) {
	if !validID.MatchString(t.ID) {
		return answer{}, fmt.Errorf("change id %q is not valid", t.ID)
	}
	gone := `rm -rf "$d.part"; [ ! -f "$d.done" ] || echo "cfgvault done $(cat "$d.done")"; echo "cfgvault rc 70"`
	if op == "status" {
		gone = strings.TrimPrefix(gone, `rm -rf "$d.part"; `) // asking changes nothing
	}
	// The folder may end while we look, when the timer has done its work.
	script := t.prelude() + `o=$(sh "$d/deadman.sh" ` + op + ` 2>/dev/null); case $o in *"cfgvault rc "*) printf "%s\n" "$o"; exit; esac; ` + gone
	return run(ctx, s, plugins.Command{Text: become(t.Sudo, script), Write: op != "status"})
}

// finished is the answer of Confirm for a change whose folder is gone.
func (t Timer) finished(a answer) error {
	switch a.get("done") {
	case "confirmed":
		return nil
	case "rolledback":
		return fmt.Errorf("change %s: %w", t.ID, plugins.ErrRolledBack)
	}
	return fmt.Errorf("change %s: the device knows nothing of it", t.ID)
}

func (t Timer) outcome(step string, a answer) error {
	switch a.rc {
	case rcOK:
		return nil
	case rcBusy:
		return fmt.Errorf("change %s: another change is under way: %w", t.ID, plugins.ErrBusy)
	case rcRolledBack:
		return fmt.Errorf("change %s: %w", t.ID, plugins.ErrRolledBack)
	case rcPermission:
		return fmt.Errorf("change %s: the timer could not be started: %w", t.ID, plugins.ErrNotPermitted)
	case rcDisk:
		return fmt.Errorf("change %s: the device has no room for what a rollback needs; nothing was changed", t.ID)
	case rcPrepare, rcSave, rcRollback, rcApply:
		switch a.rc {
		case rcRollback:
			step = "rollback"
		case rcApply:
			step = "apply"
		}
		return fmt.Errorf("change %s: %w", t.ID, &StepError{Step: step, Text: a.text, RolledBack: a.rc == rcPrepare})
	case rcNotStaged, rcGone:
		return fmt.Errorf("change %s: it is not staged on the device", t.ID)
	case rcNotArmed:
		return fmt.Errorf("change %s: it was not committed", t.ID)
	}
	return fmt.Errorf("change %s: the device's answer cannot be read (status %d)", t.ID, a.rc)
}

// answer is what the device's side said.
type answer struct {
	rc   int
	keys map[string]string
	text string // lines that are not ours: what a script printed
}

func (a answer) get(key string) string { return a.keys[key] }

func run(ctx context.Context, s plugins.Session, c plugins.Command) (answer, error) {
	out, err := s.Run(ctx, c)
	if err != nil {
		return answer{}, err
	}
	return parse(out)
}

// parse reads the lines "cfgvault KEY VALUE" of an answer. The last line is
// "cfgvault rc N"; without it the answer was cut, or sh never ran.
func parse(out plugins.Output) (answer, error) {
	a := answer{rc: -1, keys: map[string]string{}}
	var text strings.Builder
	for line := range strings.Lines(string(out.Stdout)) {
		rest, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "cfgvault ")
		key, value, two := strings.Cut(rest, " ")
		switch {
		case !ok || !two:
			text.WriteString(line)
			a.rc = -1
		case key == "rc":
			n, err := strconv.Atoi(value)
			if err != nil {
				n = -1
			}
			a.rc = n
		default:
			a.keys[key] = value
		}
	}
	a.text = strings.TrimRight(text.String(), "\n")
	if a.rc >= 0 {
		return a, nil
	}
	if out.End == plugins.EndCut {
		return a, plugins.ErrSessionLost
	}
	if why := string(bytes.TrimSpace(out.Stderr)); strings.HasPrefix(why, "sudo:") {
		return a, fmt.Errorf("sudo refuses without a password: %w", plugins.ErrNotPermitted)
	}
	return a, fmt.Errorf("the login does not run a shell: %w", plugins.ErrNotPermitted)
}

func pack(files []File) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if f.Mode == 0 {
			f.Mode = 0o600
		}
		h := &tar.Header{Name: f.Name, Mode: f.Mode, Size: int64(len(f.Data)), Format: tar.FormatGNU}
		if f.Link != "" {
			h.Typeflag, h.Linkname, h.Size, f.Data = tar.TypeSymlink, f.Link, 0, nil
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.Name, err)
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return b.Bytes(), nil
}

// become is the command that runs a script; with sudo, as root, for which a
// login that is root already needs no sudo.
func become(sudo bool, script string) string {
	if sudo {
		return `sh -c 'if [ "$(id -u)" = 0 ]; then exec sh -c "$1"; else exec sudo -n sh -c "$1"; fi' sh ` + Quote(script)
	}
	return "sh -c " + Quote(script)
}

// Quote makes one word of s for a POSIX shell.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
