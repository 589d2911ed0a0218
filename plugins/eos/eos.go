// Package eos drives Arista EOS switches over the command line. It reads the
// running and startup configuration with proof that they are whole, and puts a
// running configuration back through a configuration session under the
// switch's own commit timer.
//
// It does not use eAPI, does not copy files from or to flash (images,
// extensions, certificates and keys under /persist stay what they are), and
// does not answer for what Zero Touch Provisioning does to a unit meanwhile.
package eos

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// driver is stateless: every method works on the session it is handed.
type driver struct{}

// New returns the driver.
func New() plugins.Driver { return driver{} }

// Identify reads "show version", which every login may.
func (driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	out, err := read(ctx, s, "show version")
	if err != nil {
		return plugins.Facts{}, err
	}
	f, ok := parseVersion(out)
	if !ok {
		return plugins.Facts{}, fmt.Errorf("eos: show version: %w", plugins.ErrWrongPlatform)
	}
	if out, err = read(ctx, s, "show hostname"); err != nil {
		return plugins.Facts{}, err
	}
	if m := hostnameLine.FindStringSubmatch(out); m != nil {
		f.Hostname = m[1]
	}
	return f, nil
}

var (
	modelLine    = regexp.MustCompile(`(?m)^\s*(?:Arista )?(DCS-\S+|CCS-\S+|vEOS\S*|cEOS\S*|[A-Z0-9]{3,}-\S+)\s*$`)
	imageLine    = regexp.MustCompile(`(?m)^Software image version:[ \t]*(\S+)`)
	serialLine   = regexp.MustCompile(`(?m)^Serial number:[ \t]*(\S+)`)
	systemLine   = regexp.MustCompile(`(?m)^System MAC address:[ \t]*(\S+)`)
	hostnameLine = regexp.MustCompile(`(?m)^Hostname:[ \t]*(\S+)`)
)

// parseVersion reads the text of "show version". A virtual unit prints no
// serial number.
func parseVersion(out string) (plugins.Facts, bool) {
	first, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	model := modelLine.FindStringSubmatch(first)
	image := imageLine.FindStringSubmatch(out)
	if model == nil || image == nil {
		return plugins.Facts{}, false
	}
	f := plugins.Facts{Vendor: "Arista", Model: model[1], OS: "EOS", OSVersion: image[1]}
	if m := serialLine.FindStringSubmatch(out); m != nil {
		f.Serials = []string{m[1]}
	}
	if m := systemLine.FindStringSubmatch(out); m != nil {
		f.MACs = []string{colons(m[1])}
	}
	return f, true
}

// colons writes fcbd.67c7.ffe7 as fc:bd:67:c7:ff:e7.
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
		return "", fmt.Errorf("eos: %s: %w", c.Text, err)
	}
	if !out.OK() {
		return "", fmt.Errorf("eos: %s: the output stops: %w", c.Text, plugins.ErrSessionLost)
	}
	return string(out.Stdout), nil
}
