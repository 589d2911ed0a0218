package routeros

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/netdev"
)

// do runs a command that changes the device; RouterOS ends it with status 0
// whatever happens, so that its text decides.
func do(ctx context.Context, s plugins.Session, text string) (string, error) {
	out, err := s.Run(ctx, plugins.Command{Text: text, Write: true})
	if err != nil {
		return "", err
	}
	if out.End == plugins.EndCut {
		return "", plugins.ErrSessionLost
	}
	return string(out.Stdout), nil
}

var failure = regexp.MustCompile(`(?m)^(?:Script Error: )?(failure: .*|bad command name .*|syntax error .*|expected .*|no such (?:item|command).*|input does not match .*|invalid value .*|not enough permissions.*|action failed.*|Cannot open .*|found \d+ error.*)$`)

// Stage implements plugins.Restorer.
func (driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (plugins.Diff, error) {
	fail := func(err error) (plugins.Diff, error) { return plugins.Diff{}, fmt.Errorf("stage: %w", err) }
	text, losses, err := target(want)
	if err != nil {
		return fail(err)
	}
	now, f, err := export(ctx, s)
	if err != nil {
		return fail(err)
	}
	if now.Verdict != plugins.Complete {
		return fail(fmt.Errorf("the device's own configuration could not be read whole (%s)", now.Reasons[0].Code))
	}
	timers, err := do(ctx, s, `:put "@timers"; /system scheduler print; :put "@end"`)
	if err != nil {
		return fail(err)
	}
	for _, m := range regexp.MustCompile(`name="?cfgvault-([a-z0-9-]+)"?`).FindAllStringSubmatch(timers, -1) {
		return fail(fmt.Errorf("change %s is under way: %w", m[1], plugins.ErrBusy))
	}
	// device-mode may forbid schedulers; a harmless one that never runs finds out.
	out, err := do(ctx, s, `/system scheduler add name=cfgvault-probe interval=1d on-event=":nothing"; /system scheduler remove [find name=cfgvault-probe]`)
	if err != nil {
		return fail(err)
	}
	if m := failure.FindString(out); m != "" {
		return fail(fmt.Errorf("the device takes no scheduler, so nothing could roll back (%s): %w", m, plugins.ErrNotPermitted))
	}
	fl, err := open(ctx, s)
	if err != nil {
		return fail(err)
	}
	defer fl.close()
	if err := fl.put(base(changeID)+".rsc", text); err != nil {
		return fail(err)
	}
	if err := check(ctx, s, fl, changeID, f.OSVersion); err != nil {
		if !errors.Is(err, plugins.ErrSessionLost) && ctx.Err() == nil {
			err = errors.Join(err, fl.remove(changeID))
		}
		return fail(err)
	}
	d := plugins.Diff{Text: udiff.Unified("running", "restored", significant(string(now.Artefacts[0].Data)), significant(text)), Losses: losses}
	d.Steps = []string{
		"save the configuration as " + base(changeID) + ".backup on the device",
		"reset the configuration and run the export, under the scheduler " + base(changeID) + " that loads the backup unless it is confirmed",
		"on confirmation, remove the scheduler and the files",
	}
	d.Disruptive = []string{"the device reboots, and again if the change is not confirmed"}
	if d.Address = netdev.Moved(addresses(string(now.Artefacts[0].Data)), addresses(text)); d.Address != "" {
		d.Disruptive = append(d.Disruptive, "the address moves to "+d.Address+", every login ends")
	}
	if m := softwareID.FindStringSubmatch(text); m != nil && certificates(want) {
		d.Losses = append(d.Losses, plugins.Loss{Artefact: artNames, Code: "not-exported", Text: "certificates are not in an export, and the reset removes those on the device"})
	}
	return d, nil
}

func certificates(want []plugins.Artefact) bool {
	for _, a := range want {
		if a.Name == artNames {
			p, _ := sections(string(a.Data))
			return strings.TrimSpace(p["certificates"]) != ""
		}
	}
	return false
}

var (
	quoted      = regexp.MustCompile(`"(?:\\.|[^"\\])*"`)
	addressItem = regexp.MustCompile(`^add\b.*\baddress=([0-9.]+(?:/\d+)?)`)
)

// addresses are those of an export that are in force.
func addresses(text string) []string {
	var out []string
	menu := ""
	for line := range strings.Lines(significant(text)) {
		line = quoted.ReplaceAllString(strings.TrimSpace(line), `""`)
		if strings.HasPrefix(line, "/") {
			menu = line
		}
		if m := addressItem.FindStringSubmatch(line); m != nil && menu == "/ip address" && !strings.Contains(line, "disabled=yes") {
			out = append(out, m[1])
		}
	}
	return out
}

// target is the export to run.
func target(want []plugins.Artefact) (text string, losses []plugins.Loss, err error) {
	for _, a := range want {
		switch {
		case a.Name == artExport:
			text = string(a.Data)
		case a.Role != plugins.RoleState:
			losses = append(losses, plugins.Loss{Artefact: a.Name, Code: plugins.LossNotRestorable, Text: "this driver does not put " + a.Name + " back"})
		}
	}
	if strings.TrimSpace(significant(text)) == "" {
		return "", nil, fmt.Errorf("there is no artefact %s to put back: %w", artExport, plugins.ErrRejected)
	}
	if r := frame("# x x by RouterOS x\n" + text); len(r) > 0 {
		return "", nil, fmt.Errorf("%w: %s", &plugins.RejectedError{Artefact: artExport}, r[0].Text)
	}
	return text, losses, nil
}

var atLine = regexp.MustCompile(`line (\d+)`)

// check lets the device parse the script, from 7.16 on.
func check(ctx context.Context, s plugins.Session, fl *files, changeID, version string) error {
	if !atLeast(version, 7, 16) {
		return nil
	}
	out, err := do(ctx, s, "/import file-name="+fl.dir+base(changeID)+".rsc verbose=yes dry-run")
	if err != nil {
		return err
	}
	if m := failure.FindString(out); m != "" {
		bad := &plugins.RejectedError{Artefact: artExport, Text: out}
		if n := atLine.FindStringSubmatch(m); n != nil {
			if k, err := strconv.Atoi(n[1]); err == nil {
				bad.Line = k
			}
		}
		return bad
	}
	return nil
}

func atLeast(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	a, err1 := strconv.Atoi(parts[0])
	b, err2 := strconv.Atoi(strings.TrimRight(strings.FieldsFunc(parts[1], func(r rune) bool { return r < '0' || r > '9' })[0], " "))
	return err1 == nil && err2 == nil && (a > major || a == major && b >= minor)
}

// load is what goes back: the missing script tells that it was run. Inside a
// scheduler nothing is asked.
func load(fl *files, changeID string) string {
	name := fl.dir + base(changeID)
	return `:do { /file remove [find name="` + name + runSuffix + `"] } on-error={ }; /system backup load name=` + name + `.backup password=""`
}

// runScript arms the timer and only then runs the export: whatever stops it,
// the scheduler is there. Interfaces may appear some seconds after the reset.
func runScript(fl *files, changeID string, seconds int) string {
	n := base(changeID)
	return `/system scheduler add name=` + n + ` interval=` + strconv.Itoa(seconds) + `s comment=armed on-event="` + strings.ReplaceAll(load(fl, changeID), `"`, `\"`) + "\"\n" +
		":local n 0\n:while (([:len [/interface find]] = 0) && ($n < 60)) do={ :delay 1s; :set n ($n + 1) }\n:delay 2s\n" +
		`:do { /ip ssh import-host-key private-key-file=` + fl.dir + n + "_rsa.pem } on-error={ }\n" +
		`:do { /import file-name=` + fl.dir + n + `.rsc; /system scheduler set [find name=` + n + `] comment=applied } on-error={ /system scheduler set [find name=` + n + "] comment=failed }\n"
}

// Commit implements plugins.Restorer. The device runs the export by itself
// after the reset, which takes the connection: ErrSessionLost is the usual end,
// and what became of the change is in Status.
func (d driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	fail := func(err error) error { return fmt.Errorf("commit: %w", err) }
	seconds := int((within + time.Second - 1) / time.Second)
	if seconds < 1 {
		return fail(errors.New("the time to confirm must be at least a second"))
	}
	fl, err := open(ctx, s)
	if err != nil {
		return fail(err)
	}
	defer fl.close()
	if staged, err := fl.has(base(changeID) + ".rsc"); err != nil || !staged {
		return fail(errors.Join(err, fmt.Errorf("change %s is not staged on the device", changeID)))
	}
	out, err := do(ctx, s, "/system backup save name="+fl.dir+base(changeID)+" dont-encrypt=yes")
	if err != nil {
		return fail(err)
	}
	if there, err := fl.has(base(changeID) + ".backup"); err != nil || !there || !strings.Contains(out, "backup saved") {
		return fail(errors.Join(err, errors.New("the device does not save a backup, so there would be no way back")))
	}
	if _, err := do(ctx, s, "/ip ssh export-host-key key-file-prefix="+fl.dir+base(changeID)); err != nil {
		return fail(err)
	}
	if err := fl.put(base(changeID)+runSuffix, runScript(fl, changeID, seconds)); err != nil {
		return fail(err)
	}
	out, err = do(ctx, s, `:execute script="/system reset-configuration no-defaults=yes skip-backup=yes keep-users=yes run-after-reset=`+fl.dir+base(changeID)+runSuffix+`"`)
	if err != nil {
		return fail(err)
	}
	if m := failure.FindString(out); m != "" {
		return fail(&plugins.RejectedError{Artefact: artExport, Text: out})
	}
	st, err := d.await(ctx, s, fl, changeID, state.settled)
	if err != nil {
		return fail(err)
	}
	if !st.timer {
		return fail(fmt.Errorf("the device did not reset its configuration within %v", patience))
	}
	return nil
}

// Status implements plugins.Restorer. It waits while the device resets or runs
// the export: what it has then is neither the old nor the new.
func (d driver) Status(ctx context.Context, s plugins.Session, changeID string) (plugins.State, time.Duration, error) {
	fl, err := open(ctx, s)
	if err != nil {
		return plugins.StateUnknown, 0, fmt.Errorf("status: %w", err)
	}
	defer fl.close()
	st, err := d.await(ctx, s, fl, changeID, state.settled)
	if err != nil {
		return plugins.StateUnknown, 0, fmt.Errorf("status: %w", err)
	}
	return st.of(), st.left, nil
}

// Confirm implements plugins.Restorer. It fails with ErrRejected while the
// export has not been run to its end: the timer then goes on.
func (d driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	fail := func(err error) error { return fmt.Errorf("confirm: %w", err) }
	fl, err := open(ctx, s)
	if err != nil {
		return fail(err)
	}
	defer fl.close()
	st, err := d.await(ctx, s, fl, changeID, state.settled)
	if err != nil {
		return fail(err)
	}
	switch st.of() {
	case plugins.StateConfirmed:
		if err := fl.remove(changeID, ".confirmed"); err != nil {
			return fail(err)
		}
		return nil
	case plugins.StateRolledBack:
		return fail(plugins.ErrRolledBack)
	case plugins.StatePending:
	default:
		return fail(fmt.Errorf("change %s was not committed", changeID))
	}
	if st.comment != "applied" {
		return fail(fmt.Errorf("the device did not run the export to its end (%s); its log says why: %w", st.comment, &plugins.RejectedError{Artefact: artExport}))
	}
	before, _, err := export(ctx, s)
	if err != nil {
		return fail(err)
	}
	// It counts once the scheduler is gone without having fired: see state.of.
	if err := fl.put(base(changeID)+".confirmed", "confirmed\n"); err != nil {
		return fail(err)
	}
	if _, err := do(ctx, s, `/system scheduler remove [find name=`+base(changeID)+`]`); err != nil {
		return fail(err)
	}
	if st, err = fl.state(ctx, s, changeID); err != nil {
		return fail(err)
	}
	if st.timer {
		return fail(errors.New("the scheduler is still there"))
	}
	after, _, err := export(ctx, s)
	if err != nil {
		return fail(err)
	}
	if config(before) != config(after) {
		return fail(plugins.ErrRolledBack)
	}
	if err := fl.remove(changeID, ".confirmed"); err != nil {
		return fail(err)
	}
	return nil
}

// config is what an export says.
func config(x *plugins.Export) string {
	if len(x.Artefacts) == 0 {
		return ""
	}
	return significant(string(x.Artefacts[0].Data))
}

// Discard implements plugins.Restorer. It waits for a reset that is under way:
// without its files the device would run the export with no way back.
func (d driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	fail := func(err error) error { return fmt.Errorf("discard: %w", err) }
	fl, err := open(ctx, s)
	if err != nil {
		return fail(err)
	}
	defer fl.close()
	st, err := d.await(ctx, s, fl, changeID, func(st state) bool { return !st.resetting() })
	if err != nil {
		return fail(err)
	}
	switch st.of() {
	case plugins.StatePending:
		// The backup has no scheduler in it; its files tell what happened.
		if out, err := do(ctx, s, `:execute script="`+strings.ReplaceAll(load(fl, changeID), `"`, `\"`)+`"`); err != nil {
			return fail(err)
		} else if m := failure.FindString(out); m != "" {
			return fail(errors.New(m))
		}
		st, err := d.await(ctx, s, fl, changeID, func(st state) bool { return !st.timer })
		if errors.Is(err, plugins.ErrSessionLost) {
			return nil // by the reboot
		}
		if err == nil && st.timer {
			err = fmt.Errorf("the device did not load its backup within %v", patience)
		}
		if err != nil {
			return fail(err)
		}
		return nil
	case plugins.StateConfirmed:
		return fl.remove(changeID, ".confirmed")
	case plugins.StateNone:
		return nil
	}
	if err := fl.remove(changeID); err != nil {
		return fail(err)
	}
	return nil
}

// FactoryReset implements plugins.Resetter: the configuration goes, users and
// certificates with it; files and the licence stay.
func (d driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	f, err := identify(ctx, s)
	if err != nil {
		return fmt.Errorf("factory reset: %w", err)
	}
	if len(f.Serials) == 0 || token == "" || f.Serials[0] != token {
		return fmt.Errorf("factory reset: %w", plugins.ErrWrongUnit)
	}
	fl, err := open(ctx, s)
	if err != nil {
		return fmt.Errorf("factory reset: %w", err)
	}
	defer fl.close()
	out, err := do(ctx, s, `:execute script="/system reset-configuration skip-backup=yes"`)
	if m := failure.FindString(out); m != "" {
		return fmt.Errorf("factory reset: %s", m)
	}
	if err == nil {
		err = d.lost(ctx, fl)
	}
	if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
		return fmt.Errorf("factory reset: %w", err)
	}
	return nil
}
