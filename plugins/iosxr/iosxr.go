// Package iosxr drives Cisco IOS-XR over the command line and SCP. It reads the
// running configuration with proof that it is whole, and puts one back by
// "commit replace confirmed", under the router's own trial timer.
//
// A trial can be confirmed only from the configuration session that armed it.
// The driver therefore holds that command line in its process from Stage to
// Confirm or Discard: when the process or the connection dies in between,
// nobody can confirm, and the router goes back by itself.
//
// It does not touch the admin plane, packages, licences or keys.
package iosxr

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cfgvault/cfgvault/plugins"
)

// driver keeps the changes whose command line it holds.
type driver struct {
	mu   sync.Mutex
	held map[string]*change
}

// New returns the driver.
func New() plugins.Driver { return &driver{held: map[string]*change{}} }

// Identify reads "show version" and "show inventory".
func (*driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	out, err := read(ctx, s, "show version")
	if err != nil {
		return plugins.Facts{}, err
	}
	m := releaseLine.FindStringSubmatch(out)
	if m == nil {
		return plugins.Facts{}, fmt.Errorf("iosxr: show version: %w", plugins.ErrWrongPlatform)
	}
	f := plugins.Facts{Vendor: "Cisco", OS: "IOS-XR", OSVersion: m[1]}
	if m := chassisLine.FindStringSubmatch(out); m != nil {
		f.Model = m[1]
	}
	if out, err = read(ctx, s, "show inventory"); err != nil {
		return plugins.Facts{}, err
	}
	if m := rackItem.FindStringSubmatch(out); m != nil {
		f.Model = m[1]
		if m[2] != "" && m[2] != "N/A" {
			f.Serials = []string{m[2]}
		}
	}
	if out, err = read(ctx, s, "show running-config hostname"); err == nil {
		if m := hostnameLine.FindStringSubmatch(out); m != nil {
			f.Hostname = m[1]
		}
	} else if ctx.Err() != nil {
		return plugins.Facts{}, err
	}
	return f, nil
}

var (
	releaseLine  = regexp.MustCompile(`(?m)^Cisco IOS XR Software, Version ([^\s,\[]+)`)
	chassisLine  = regexp.MustCompile(`(?mi)^cisco (\S.*?) \(.*\) processor`)
	rackItem     = regexp.MustCompile(`(?mi)^NAME: "(?:Rack 0|chassis[^"]*|Rack 0-Chassis[^"]*)",.*\n\s*PID: ?([^,]*?)\s*,\s*VID:[^,]*,\s*SN: ?(\S*)`)
	hostnameLine = regexp.MustCompile(`(?m)^hostname (\S+)`)
)

// Normalize reads native text into the common tree.
func (*driver) Normalize(_ context.Context, f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	return normalize(f, native)
}

// Render writes a running configuration from the common tree.
func (*driver) Render(_ context.Context, tree []byte, onto plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	return render(tree, onto)
}

// Adapt prepares artefacts of one unit for another.
func (*driver) Adapt(_ context.Context, native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	return adapt(native, from, to, m)
}

// runner is what a Session and a CLI have in common.
type runner interface {
	Run(context.Context, plugins.Command) (plugins.Output, error)
}

func read(ctx context.Context, r runner, command string) (string, error) {
	return do(ctx, r, plugins.Command{Text: command})
}

func write(ctx context.Context, r runner, command string, answers ...plugins.Answer) (string, error) {
	return do(ctx, r, plugins.Command{Text: command, Write: true, Answers: answers})
}

func do(ctx context.Context, r runner, c plugins.Command) (string, error) {
	out, err := r.Run(ctx, c)
	if err != nil {
		return "", fmt.Errorf("iosxr: %s: %w", c.Text, err)
	}
	if !out.OK() {
		return "", fmt.Errorf("iosxr: %s: the output stops: %w", c.Text, plugins.ErrSessionLost)
	}
	return withoutTime(string(out.Stdout)), nil
}

// timeLine is what the router puts before every answer unless it was told not
// to.
var timeLine = regexp.MustCompile(`\A\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d+ \d{2}:\d{2}:\d{2}\.\d+ \S+\n`)

func withoutTime(out string) string { return timeLine.ReplaceAllString(out, "") }

// statements returns what a text configures: no comments, nothing of the
// listing.
func statements(text string) []string {
	var out []string
	for l := range strings.Lines(withoutTime(text)) {
		t := strings.TrimRight(l, " \r\n")
		bare := strings.TrimLeft(t, " ")
		if bare == "" || strings.HasPrefix(bare, "!") || t == "end" || t == "Building configuration..." {
			continue
		}
		out = append(out, t)
	}
	return out
}

// digest is of what a text configures.
func digest(text string) string {
	sum := sha256.Sum256([]byte(strings.Join(statements(text), "\n")))
	return hex.EncodeToString(sum[:])
}

// refusal returns the first line by which XR refuses a command. A warning is
// none, nor is what confirms a trial.
func refusal(out string) (text string, refused bool) {
	for l := range strings.Lines(out) {
		l = strings.TrimRight(l, "\r\n")
		if strings.HasPrefix(l, "% ") && !strings.HasPrefix(l, "% WARNING") && !strings.HasPrefix(l, "% Confirming") || strings.HasPrefix(l, "Cannot enter exclusive mode") {
			return l, true
		}
	}
	return "", false
}

func refusedError(step, text string) error {
	low := strings.ToLower(text)
	for _, m := range []struct {
		part string
		err  error
	}{
		{"not authorized", plugins.ErrNotPermitted},
		{"permission denied", plugins.ErrNotPermitted},
		{"locked by another", plugins.ErrBusy},
		{"trial", plugins.ErrBusy},
		{"exclusive mode", plugins.ErrBusy},
	} {
		if strings.Contains(low, m.part) {
			return fmt.Errorf("iosxr: %s: %w", step, m.err)
		}
	}
	return fmt.Errorf("iosxr: %s: %w", step, &plugins.RejectedError{Artefact: runningConfig, Text: text})
}

// frame checks that a configuration is whole and is one. It returns why not.
func frame(name, text string) []plugins.Reason {
	var reasons []plugins.Reason
	add := func(code, format string, args ...any) {
		reasons = append(reasons, plugins.Reason{Code: code, Text: name + " " + fmt.Sprintf(format, args...)})
	}
	last, release, n := "", false, 0
	for l := range strings.Lines(text) {
		n++
		l = strings.TrimRight(l, " \r\n")
		switch {
		case strings.ContainsFunc(l, control):
			add("control-bytes", "line %d holds control characters", n)
		case strings.Contains(l, "--More--"):
			add("pager-left", "line %d is a pager's", n)
		case strings.HasPrefix(l, "% "):
			add("refused", "line %d is a refusal", n)
		case last == "end" && l != "":
			add("after-end", "goes on after its end, in line %d", n)
		}
		release = release || strings.HasPrefix(l, "!! IOS XR Configuration")
		if l != "" {
			last = l
		}
	}
	if !release {
		add("no-header", "does not name the release that wrote it")
	}
	// "end" may be what a cut left of "end-set" or "end-policy".
	for _, l := range parseConfig(text).Lines {
		if l.Open {
			last = ""
		}
	}
	if last != "end" && !slices.ContainsFunc(reasons, func(r plugins.Reason) bool { return r.Code == "after-end" }) {
		add("no-end", "stops after %d lines, without its last line", n)
	}
	return reasons
}

// control reports characters that a listing does not have.
func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
