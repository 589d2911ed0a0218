// Package ios drives Cisco IOS and IOS-XE over the command line and SCP. It
// reads the running and startup configuration with proof that they are whole,
// and puts a running configuration back with "configure replace" under the
// device's own rollback timer.
//
// It does not copy images, does not read private keys (the device gives out
// only those that were made exportable), does not restore the VLAN file of a
// switch, which counts only after a reload, and does not use NETCONF or
// RESTCONF.
package ios

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// driver is stateless: every method works on the session it is handed.
type driver struct{}

// New returns the driver.
func New() plugins.Driver { return driver{} }

// Identify reads "show version" and "show inventory", which every login may.
func (driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	out, err := read(ctx, s, "show version")
	if err != nil {
		return plugins.Facts{}, err
	}
	f, ok := parseVersion(out)
	if !ok {
		return plugins.Facts{}, fmt.Errorf("ios: show version: %w", plugins.ErrWrongPlatform)
	}
	if out, err = read(ctx, s, "show inventory"); err != nil {
		return plugins.Facts{}, err
	}
	parseInventory(out, &f)
	return f, nil
}

var (
	releaseLine = regexp.MustCompile(`(?m)^Cisco (IOS|IOS[ -]XE|Internetwork Operating System) Software.*?Version ([^\s,]+)`)
	uptimeLine  = regexp.MustCompile(`(?m)^(\S+) uptime is `)
	boardLine   = regexp.MustCompile(`(?mi)^Processor board ID[ \t]+(\S+)`)
	cpuLine     = regexp.MustCompile(`(?mi)^cisco (\S+) .*processor.* with .*memory`)
	serialLine  = regexp.MustCompile(`(?mi)^System Serial Number[ \t]*:[ \t]*(\S+)`)
	modelLine   = regexp.MustCompile(`(?mi)^Model Number[ \t]*:[ \t]*(\S+)`)
	macLine     = regexp.MustCompile(`(?mi)^Base Ethernet MAC Address[ \t]*:[ \t]*([0-9a-f:.]+)`)
	itemLine    = regexp.MustCompile(`(?m)^NAME: "([^"]*)",.*\n\s*PID: ?([^,]*?)\s*,\s*VID:[^,]*,\s*SN: ?(\S*)`)
	switchItem  = regexp.MustCompile(`(?i)^(?:Switch )?(\d+)$|^Switch (\d+)(?: System)?$`)
)

// parseVersion reads the text of "show version". IOS-XE names itself twice;
// the first line has the release that operators know.
func parseVersion(out string) (plugins.Facts, bool) {
	m := releaseLine.FindStringSubmatch(out)
	if m == nil || strings.Contains(out, "Cisco IOS XR Software") {
		return plugins.Facts{}, false
	}
	f := plugins.Facts{Vendor: "Cisco", OS: "IOS", OSVersion: m[2]}
	if strings.Contains(out, "IOS-XE") || strings.Contains(out, "IOS XE") {
		f.OS = "IOS-XE"
	}
	one := func(re *regexp.Regexp) string {
		if m := re.FindStringSubmatch(out); m != nil {
			return m[1]
		}
		return ""
	}
	f.Hostname = one(uptimeLine)
	if f.Model = one(modelLine); f.Model == "" {
		f.Model = one(cpuLine)
	}
	serial := one(serialLine)
	if serial == "" {
		serial = one(boardLine)
	}
	if serial != "" {
		f.Serials = []string{serial}
	}
	if mac := one(macLine); mac != "" {
		f.MACs = []string{colons(mac)}
	}
	return f, true
}

// parseInventory takes the chassis and the members of a stack from "show
// inventory". The row of a stack repeats the serial number of its first
// member.
func parseInventory(out string, f *plugins.Facts) {
	var chassis, members []string
	model := ""
	for _, m := range itemLine.FindAllStringSubmatch(out, -1) {
		name, pid, serial := m[1], m[2], m[3]
		switch low := strings.ToLower(name); {
		case low == "chassis" || strings.HasSuffix(low, " stack") || strings.HasPrefix(low, "chassis ") || strings.HasSuffix(low, " chassis"):
			if serial != "" {
				chassis = append(chassis, serial)
			}
			if model == "" {
				model = pid
			}
		case switchItem.MatchString(name):
			members = append(members, serial)
			if model == "" {
				model = pid
			}
		case len(chassis) == 0 && len(members) == 0 && model == "" && serial != "":
			// Older units list themselves first, by their product's name.
			chassis, model = append(chassis, serial), pid
		}
	}
	var serials []string
	for _, s := range append(members, chassis...) {
		if s != "" && !slices.Contains(serials, s) {
			serials = append(serials, s)
		}
	}
	if len(serials) > 0 {
		f.Serials = serials
	}
	if model != "" {
		f.Model = model
	}
}

// colons writes 00aa.6ebe.eeff as 00:aa:6e:be:ee:ff.
func colons(mac string) string {
	hex := strings.ToLower(strings.NewReplacer(".", "", ":", "").Replace(mac))
	if len(hex) != 12 {
		return strings.ToLower(mac)
	}
	parts := make([]string, 6)
	for i := range parts {
		parts[i] = hex[2*i : 2*i+2]
	}
	return strings.Join(parts, ":")
}

// Normalize reads native text into the common tree.
func (driver) Normalize(_ context.Context, f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	return normalize(f, native)
}

// Render writes a running configuration from the common tree.
func (driver) Render(_ context.Context, tree []byte, onto plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	return render(tree, onto)
}

// Adapt prepares artefacts of one unit for another.
func (driver) Adapt(_ context.Context, native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	return adapt(native, from, to, m)
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
func write(ctx context.Context, r runner, command string, answers ...plugins.Answer) (string, error) {
	return do(ctx, r, plugins.Command{Text: command, Write: true, Answers: answers})
}

func do(ctx context.Context, r runner, c plugins.Command) (string, error) {
	out, err := r.Run(ctx, c)
	if err != nil {
		return "", fmt.Errorf("ios: %s: %w", c.Text, err)
	}
	if !out.OK() {
		return "", fmt.Errorf("ios: %s: the output stops: %w", c.Text, plugins.ErrSessionLost)
	}
	return string(out.Stdout), nil
}
