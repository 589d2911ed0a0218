package linux

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/deadman"
)

func timer(changeID string) deadman.Timer { return deadman.Timer{ID: changeID, Sudo: true} }

// plan is what a restore changes.
type plan struct {
	lines   []string
	folders []string // of the file "plan"
	files   []deadman.File
	diff    strings.Builder
	changed []string // paths
	losses  []plugins.Loss
}

// Stage implements plugins.Restorer. Files that want does not have are removed
// if they are declared.
func (d driver) Stage(ctx context.Context, s plugins.Session, changeID string, want []plugins.Artefact) (plugins.Diff, error) {
	list, err := fileList(s.Options())
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("stage: %w", err)
	}
	t := timer(changeID)
	means, err := deadman.Probe(ctx, s, true)
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("stage: a restore needs root, or sudo without a password: %w", err)
	}
	if means.Boot == "none" && s.Options()[optNoBoot] != "allow" {
		return plugins.Diff{}, fmt.Errorf("stage: nothing on the machine (systemd, cron, rc.local) could roll back after a reboot; the option %s=allow restores all the same: %w", optNoBoot, errors.ErrUnsupported)
	}
	now, err := d.Export(ctx, s)
	if err != nil {
		return plugins.Diff{}, fmt.Errorf("stage: %w", err)
	}
	if now.Verdict != plugins.Complete {
		return plugins.Diff{}, fmt.Errorf("stage: the machine's own files could not be read whole (%s), so they could not be put back", now.Reasons[0].Code)
	}
	p, err := compare(list, now.Artefacts, want)
	if err != nil {
		return plugins.Diff{}, err
	}
	actions := p.actions()
	files := append(p.files,
		deadman.File{Name: "plan", Data: []byte(strings.Join(p.lines, ""))},
		deadman.File{Name: "folders", Data: []byte(strings.Join(p.folders, ""))},
		deadman.File{Name: "actions", Data: []byte(strings.Join(actions, "\n") + "\n")})
	if err := t.Stage(ctx, s, means, true, scripts(), files); err != nil {
		return plugins.Diff{}, err
	}
	if err := check(ctx, s, t); err != nil {
		if !errors.Is(err, plugins.ErrSessionLost) && ctx.Err() == nil {
			err = errors.Join(err, t.Discard(ctx, s))
		}
		return plugins.Diff{}, err
	}
	diff := plugins.Diff{Text: p.diff.String(), Losses: p.losses}
	for _, name := range p.changed {
		diff.Steps = append(diff.Steps, "replace or remove /"+name)
	}
	for _, a := range actions {
		diff.Steps = append(diff.Steps, steps()[a])
	}
	if means.Boot == "none" {
		diff.Disruptive = append(diff.Disruptive, "a reboot before the confirmation keeps the change: nothing on the machine can roll back then")
	}
	if slices.Contains(actions, "networkd") || slices.Contains(actions, "ifupdown") {
		diff.Disruptive = append(diff.Disruptive, "interfaces whose files change are configured anew")
	}
	return diff, nil
}

// compare finds what changes between what the machine has and what it should
// have. Only files of the list are touched.
func compare(list []string, now, want []plugins.Artefact) (*plan, error) {
	have := map[string]plugins.Artefact{}
	for _, a := range now {
		if a.Role == plugins.RoleFile {
			have[a.Name] = a
		}
	}
	p, wanted := &plan{}, map[string]bool{}
	sorted := slices.SortedFunc(slices.Values(want), func(a, b plugins.Artefact) int { return strings.Compare(a.Name, b.Name) })
	for _, a := range sorted {
		switch {
		case a.Role == plugins.RoleState:
			continue
		case path.Clean(a.Name) != a.Name || strings.HasPrefix(a.Name, "/") || strings.HasPrefix(a.Name, "../") || strings.ContainsAny(a.Name, "\t\n\\"):
			return nil, fmt.Errorf("stage: the artefact %q has no plain path: %w", a.Name, plugins.ErrRejected)
		case !covered(list, a.Name):
			p.losses = append(p.losses, plugins.Loss{Artefact: a.Name, Code: "not-declared", Text: "/" + a.Name + " is not in the device's list of files; add it with the option files"})
			continue
		}
		wanted[a.Name] = true
		if old, there := have[a.Name]; !there || !alike(old, a) {
			p.put(old, a, there)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if !wanted[name] {
			p.drop(have[name])
		}
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("stage: there is no file to put back: %w", plugins.ErrRejected)
	}
	return p, nil
}

func alike(a, b plugins.Artefact) bool {
	if a.Attrs["link"] != b.Attrs["link"] {
		return false
	}
	if a.Attrs["link"] != "" {
		return b.Attrs["folder"] == "" || a.Attrs["folder"] == b.Attrs["folder"]
	}
	for _, k := range []string{"mode", "owner", "group", "folder"} {
		if b.Attrs[k] != "" && a.Attrs[k] != b.Attrs[k] {
			return false
		}
	}
	return bytes.Equal(a.Data, b.Data)
}

func attr(a plugins.Artefact, name, otherwise string) string {
	if v := a.Attrs[name]; v != "" && !strings.ContainsAny(v, "\t\n ") {
		return v
	}
	return otherwise
}

func (p *plan) put(old, a plugins.Artefact, there bool) {
	mode, user, group := attr(a, "mode", "0644"), attr(a, "owner", "root"), attr(a, "group", "root")
	p.lines = append(p.lines, fmt.Sprintf("put\t%s\t%s\t%s\t%s\n", mode, user, group, a.Name))
	if f := strings.Fields(a.Attrs["folder"]); len(f) == 3 {
		line := strings.Join(f, "\t") + "\t" + path.Dir(a.Name) + "\n"
		if !slices.Contains(p.folders, line) {
			p.folders = append(p.folders, line)
		}
	}
	p.files = append(p.files, deadman.File{Name: "new/" + a.Name, Data: a.Data, Link: a.Attrs["link"]})
	p.changed = append(p.changed, a.Name)
	from := "/" + a.Name
	if !there {
		from = "/dev/null"
	}
	p.diff.WriteString(udiff.Unified(from, "/"+a.Name, show(old), show(a)))
	if there && a.Attrs["folder"] != "" && old.Attrs["folder"] != a.Attrs["folder"] {
		fmt.Fprintf(&p.diff, "# /%s: mode %s becomes %s\n", path.Dir(a.Name), old.Attrs["folder"], a.Attrs["folder"])
	}
	if there && (old.Attrs["mode"] != mode || old.Attrs["owner"] != user || old.Attrs["group"] != group) && a.Attrs["link"] == "" {
		fmt.Fprintf(&p.diff, "# /%s: mode %s %s:%s becomes %s %s:%s\n", a.Name, old.Attrs["mode"], old.Attrs["owner"], old.Attrs["group"], mode, user, group)
	}
}

func (p *plan) drop(old plugins.Artefact) {
	p.lines = append(p.lines, "drop\t-\t-\t-\t"+old.Name+"\n")
	p.changed = append(p.changed, old.Name)
	p.diff.WriteString(udiff.Unified("/"+old.Name, "/dev/null", show(old), ""))
}

// show is a file as a difference shows it.
func show(a plugins.Artefact) string {
	switch {
	case a.Attrs["link"] != "":
		return "symbolic link to " + a.Attrs["link"] + "\n"
	case bytes.IndexByte(a.Data, 0) >= 0:
		return fmt.Sprintf("binary file of %d bytes\n", len(a.Data))
	}
	return string(a.Data)
}

// actions are what the system must read again.
func (p *plan) actions() []string {
	var out []string
	for _, name := range p.changed {
		action := ""
		switch {
		case name == "etc/hostname":
			action = "hostname"
		case name == "etc/nftables.conf":
			action = "nft"
		case name == "etc/sysctl.conf", strings.HasPrefix(name, "etc/sysctl.d/"):
			action = "sysctl"
		case strings.HasPrefix(name, "etc/systemd/network/"):
			action = "networkd"
		case strings.HasPrefix(name, "etc/network/"):
			action = "ifupdown"
		case strings.HasPrefix(name, "etc/ssh/"):
			action = "sshd"
		}
		if action != "" && !slices.Contains(out, action) {
			out = append(out, action)
		}
	}
	return out
}

func steps() map[string]string {
	return map[string]string{
		"hostname": "set the host name", "nft": "load /etc/nftables.conf", "sysctl": "load the sysctl files",
		"networkd": "networkctl reload, where systemd-networkd runs", "ifupdown": "ifreload -a, where there is ifupdown2; else at the next boot", "sshd": "let sshd read its configuration again",
	}
}

// complaint finds file and line in what sshd -t ("FILE: line 3: ", "FILE line 3: ")
// and nft -c ("FILE:3:1-5: ") say.
var complaint = regexp.MustCompile(`(?m)^(\S*?):? line (\d+)|^(\S+?):(\d+):\d+`)

func check(ctx context.Context, s plugins.Session, t deadman.Timer) error {
	out, err := s.Run(ctx, t.Script(checkScript))
	if err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	p, err := deadman.Unframe(out.Stdout)
	if err != nil {
		if out.End == plugins.EndCut {
			err = fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
		}
		return fmt.Errorf("stage: %w", err)
	}
	for name, artefact := range map[string]string{"sshd": "etc/ssh/sshd_config", "nft": "etc/nftables.conf"} {
		got, there := p[name]
		if !there || got.Status == 0 {
			continue
		}
		bad := &plugins.RejectedError{Artefact: artefact, Text: string(got.Data)}
		if m := complaint.FindStringSubmatch(bad.Text); m != nil {
			file, line := m[1]+m[3], m[2]+m[4]
			if n, err := strconv.Atoi(line); err == nil {
				bad.Line = n
			}
			if dir, base := path.Split(file); strings.HasSuffix(dir, "/check/") {
				bad.Artefact = "etc/ssh/sshd_config.d/" + base
			}
		}
		return fmt.Errorf("stage: %w", bad)
	}
	return nil
}

// Commit implements plugins.Restorer.
func (driver) Commit(ctx context.Context, s plugins.Session, changeID string, within time.Duration) error {
	_, err := timer(changeID).Commit(ctx, s, within)
	var step *deadman.StepError
	if errors.As(err, &step) && step.Step == "apply" {
		return fmt.Errorf("commit: %w: %w", step, &plugins.RejectedError{Artefact: "etc", Text: step.Text})
	}
	return err
}

// Confirm implements plugins.Restorer.
func (driver) Confirm(ctx context.Context, s plugins.Session, changeID string) error {
	return timer(changeID).Confirm(ctx, s)
}

// Discard implements plugins.Restorer.
func (driver) Discard(ctx context.Context, s plugins.Session, changeID string) error {
	return timer(changeID).Discard(ctx, s)
}

// Status implements plugins.Restorer.
func (driver) Status(ctx context.Context, s plugins.Session, changeID string) (plugins.State, time.Duration, error) {
	return timer(changeID).Status(ctx, s)
}
