// Package vyos drives VyOS over its shell, which is a bash with the commands of
// VyOS in it. It reads the running and the saved configuration with proof that
// they are whole, and puts a configuration back by commit-confirm, which
// returns to the saved one by itself.
//
// It does not use the HTTP API, does not install images, and does not put back
// files below /config other than the configuration.
package vyos

import (
	"context"
	"fmt"
	"regexp"

	"github.com/cfgvault/cfgvault/plugins"
)

// driver is stateless: every method works on the session it is handed.
type driver struct{}

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
	versionLine = regexp.MustCompile(`(?m)^Version: +VyOS (\S+)`)
	vendorLine  = regexp.MustCompile(`(?m)^Hardware vendor: +(\S.*?) *$`)
	modelLine   = regexp.MustCompile(`(?m)^Hardware model: +(\S.*?) *$`)
	serialLine  = regexp.MustCompile(`(?m)^Hardware S/N: +(\S+)`)
	uuidLine    = regexp.MustCompile(`(?m)^Hardware UUID: +(\S+)`)
)

// Identify reads "show version".
func (driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	out, err := read(ctx, s, showVersion)
	if err != nil {
		return plugins.Facts{}, err
	}
	f, ok := parseVersion(out)
	if !ok {
		return plugins.Facts{}, fmt.Errorf("vyos: show version: %w", plugins.ErrWrongPlatform)
	}
	if out, err = read(ctx, s, "hostname"); err != nil {
		return plugins.Facts{}, err
	}
	if m := hostName.FindStringSubmatch(out); m != nil {
		f.Hostname = m[1]
	}
	return f, nil
}

var hostName = regexp.MustCompile(`(?m)^([A-Za-z0-9][\w.-]*)$`)

// parseVersion reads the text of "show version". Virtual machines have a
// serial number of their host's choice, or none; the UUID then names the unit.
func parseVersion(out string) (plugins.Facts, bool) {
	version := versionLine.FindStringSubmatch(out)
	if version == nil {
		return plugins.Facts{}, false
	}
	f := plugins.Facts{Vendor: "VyOS", OS: "VyOS", OSVersion: version[1]}
	if m := modelLine.FindStringSubmatch(out); m != nil {
		f.Model = m[1]
		if v := vendorLine.FindStringSubmatch(out); v != nil {
			f.Model = v[1] + " " + m[1]
		}
	}
	for _, re := range []*regexp.Regexp{serialLine, uuidLine} {
		if m := re.FindStringSubmatch(out); m != nil && len(f.Serials) == 0 && m[1] != "Not" && m[1] != "None" && m[1] != "0" {
			f.Serials = []string{m[1]}
		}
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
		return "", fmt.Errorf("vyos: %s: %w", c.Text, err)
	}
	if !out.OK() {
		return "", fmt.Errorf("vyos: %s: the output stops: %w", c.Text, plugins.ErrSessionLost)
	}
	return string(out.Stdout), nil
}
