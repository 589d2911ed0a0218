// Package junos drives Juniper's Junos and Junos Evolved over the command
// line. It reads the configuration with proof that it is whole, and puts it
// back as a confirmed commit under an exclusive lock, with the device's own
// timer.
//
// It does not speak NETCONF, does not copy files to the device, and does not
// expand configuration groups: what apply-groups inherits is kept as it is and
// stays out of the tree.
package junos

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// driver is stateless: every method works on the session it is handed.
type driver struct{}

var (
	_ plugins.Restorer = driver{}
	_ plugins.Adapter  = driver{}
	_ plugins.Renderer = driver{}
	_ plugins.Resetter = driver{}
)

// New returns the driver.
func New() plugins.Driver { return driver{} }

// Normalize reads native text into the common tree.
func (driver) Normalize(_ context.Context, f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	return normalize(f, native)
}

// Render writes a configuration from the common tree.
func (driver) Render(_ context.Context, tree []byte, onto plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	return render(tree, onto)
}

// Adapt prepares artefacts of one unit for another.
func (driver) Adapt(_ context.Context, native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	return adapt(native, from, to, m)
}

var (
	hostnameLine = regexp.MustCompile(`(?m)^Hostname: (\S+)`)
	modelLine    = regexp.MustCompile(`(?m)^Model: (\S+)`)
	versionLine  = regexp.MustCompile(`(?m)^Junos: (\S+)`)
	releaseLine  = regexp.MustCompile(`(?m)^JUNOS (?:Software Release|Base OS boot|EX  Software Suite|OS Kernel[^\[]*) \[([^\]]+)\]`)
	chassisLine  = regexp.MustCompile(`(?m)^Chassis {2,}(?:REV \S+ +)?(?:\d{3}-\d{6} +)?([A-Z0-9-]{4,})(?: |$)`)
)

// Identify reads "show version" and the serial number of the chassis. Members
// of a virtual chassis answer one after the other; the first chassis counts.
func (driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	out, err := read(ctx, s, "show version | no-more")
	if err != nil {
		return plugins.Facts{}, err
	}
	f, ok := parseVersion(out)
	if !ok {
		return plugins.Facts{}, fmt.Errorf("junos: show version: %w", plugins.ErrWrongPlatform)
	}
	if out, err = read(ctx, s, "show chassis hardware | no-more"); err != nil {
		return plugins.Facts{}, err
	}
	for _, m := range chassisLine.FindAllStringSubmatch(out, -1) {
		f.Serials = append(f.Serials, m[1])
	}
	return f, nil
}

// parseVersion reads the text of "show version". A unit in its factory state
// has no host name.
func parseVersion(out string) (plugins.Facts, bool) {
	model := modelLine.FindStringSubmatch(out)
	version := versionLine.FindStringSubmatch(out)
	if version == nil {
		version = releaseLine.FindStringSubmatch(out)
	}
	if model == nil || version == nil {
		return plugins.Facts{}, false
	}
	f := plugins.Facts{Vendor: "Juniper", Model: strings.ToUpper(model[1]), OS: "Junos", OSVersion: version[1]}
	if m := hostnameLine.FindStringSubmatch(out); m != nil {
		f.Hostname = m[1]
	}
	return f, true
}

// runner is what a Session and a CLI have in common.
type runner interface {
	Run(context.Context, plugins.Command) (plugins.Output, error)
}

// read runs a command that changes nothing and returns its whole output.
func read(ctx context.Context, r runner, command string) (string, error) {
	return do(ctx, r, plugins.Command{Text: command})
}

// write runs a command that changes the device.
func write(ctx context.Context, r runner, command string) (string, error) {
	return do(ctx, r, plugins.Command{Text: command, Write: true})
}

func do(ctx context.Context, r runner, c plugins.Command) (string, error) {
	out, err := r.Run(ctx, c)
	if err != nil {
		return "", fmt.Errorf("junos: %s: %w", c.Text, err)
	}
	if !out.OK() {
		return "", fmt.Errorf("junos: %s: the output stops: %w", c.Text, plugins.ErrSessionLost)
	}
	return string(out.Stdout), nil
}
