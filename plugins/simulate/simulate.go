// Package simulate is the list of the simulated devices, one folder each, and
// runs them as a command for users and plugin authors.
//
// The engine that they share is in [device]; where the wording of a platform
// could not be confirmed its folder says "unconfirmed", and a driver must not
// depend on it.
package simulate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	gossh "golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/eos"
	"github.com/cfgvault/cfgvault/plugins/simulate/ios"
	"github.com/cfgvault/cfgvault/plugins/simulate/iosxr"
	"github.com/cfgvault/cfgvault/plugins/simulate/junos"
	"github.com/cfgvault/cfgvault/plugins/simulate/nxos"
	"github.com/cfgvault/cfgvault/plugins/simulate/openwrt"
	"github.com/cfgvault/cfgvault/plugins/simulate/routeros"
	"github.com/cfgvault/cfgvault/plugins/simulate/sonic"
	"github.com/cfgvault/cfgvault/plugins/simulate/vyos"
)

// ErrAddress is a listen address that names no way to serve.
var ErrAddress = errors.New("unusable address")

// platform is a simulated platform: a constructor, a configuration to begin
// with, and what a person types at the console of a unit that has none before
// anybody can restore it from afar.
type platform struct {
	name      string
	make      func(device.Options) *device.Device
	sample    string
	bootstrap []string
}

// platforms lists them by the names of their drivers.
func platforms() []platform {
	return []platform{
		{"eos", func(o device.Options) *device.Device { return eos.New(o, eos.Variant{}) }, eos.Sample, nil},
		{"ios", func(o device.Options) *device.Device { return ios.New(o, ios.Variant{}) }, ios.Sample, ios.Bootstrap()},
		{"iosxr", iosxr.New, iosxr.Sample, nil},
		{"junos", junos.New, junos.Sample, nil},
		{"nxos", nxos.New, nxos.Sample, nxos.Bootstrap()},
		{"openwrt", func(o device.Options) *device.Device { return openwrt.New(o, openwrt.Variant{}) }, openwrt.Sample, nil},
		{"routeros", func(o device.Options) *device.Device { return routeros.New(o, routeros.Variant{}) }, routeros.Sample, nil},
		{"sonic", func(o device.Options) *device.Device { return sonic.New(o, sonic.Variant{}) }, sonic.Sample, nil},
		{"vyos", func(o device.Options) *device.Device { return vyos.New(o, vyos.Variant{}) }, vyos.Sample, nil},
	}
}

func find(driver string) (platform, error) {
	for _, p := range platforms() {
		if p.name == driver {
			return p, nil
		}
	}
	return platform{}, fmt.Errorf("simulate: no device %q, only %s", driver, strings.Join(Names(), ", "))
}

// Names lists the platforms that can be simulated.
func Names() []string {
	var names []string
	for _, p := range platforms() {
		names = append(names, p.name)
	}
	return names
}

// New makes the named device.
func New(driver string, o device.Options) (*device.Device, error) {
	p, err := find(driver)
	if err != nil {
		return nil, err
	}
	return p.make(o), nil
}

// Sample is a configuration to begin with, or "" for a platform that is not
// simulated.
func Sample(driver string) string {
	p, err := find(driver)
	if err != nil {
		return ""
	}
	return p.sample
}

// Bootstrap types at the console of a unit as it left the factory what the
// platform needs before a restore can reach it: nothing, on most.
func Bootstrap(ctx context.Context, driver string, d *device.Device) error {
	p, err := find(driver)
	if err != nil || len(p.bootstrap) == 0 {
		return err
	}
	var lines []string
	for _, line := range p.bootstrap {
		lines = append(lines, strings.ReplaceAll(line, "$USER", d.Options().User))
	}
	said, err := d.Type(ctx, lines...)
	if err == nil && strings.Contains(said, "%") {
		err = errors.New(strings.TrimSpace(said))
	}
	if err != nil {
		return fmt.Errorf("simulate %s: bootstrap: %w", driver, err)
	}
	return nil
}

// Run starts the named device with the text of a configuration ("" for
// [Sample]) on the listen address, writes to w where it is and how to log in,
// and serves until ctx ends. An address that begins with telnet:// or
// console:// is served in that way, any other by SSH.
func Run(ctx context.Context, driver, config, listen string, w io.Writer) error {
	p, err := find(driver)
	if err != nil {
		return err
	}
	if config == "" {
		config = p.sample
	}
	password := rand.Text()[:16]
	d := p.make(device.Options{Config: config, Password: password})
	scheme, addr, plain := strings.Cut(listen, "://")
	serve := d.Serve
	switch {
	case !plain:
		scheme, addr = "", listen
	case scheme == "telnet":
		serve = d.ServeTelnet
	case scheme == "console":
		serve = d.ServeConsole
	default:
		return fmt.Errorf("simulate %s: %w: the scheme of %q is neither telnet nor console", driver, ErrAddress, listen)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("simulate %s: %w", driver, err)
	}
	where := l.Addr().String()
	if plain {
		where = scheme + "://" + where
	}
	how := fmt.Sprintf("address:  %s\nuser:     %s\npassword: %s\n", where, d.Options().User, password)
	if !plain {
		how += fmt.Sprintf("host key: %s\n", gossh.FingerprintSHA256(d.HostKey()))
	}
	if _, err := io.WriteString(w, how); err != nil {
		return fmt.Errorf("simulate %s: %w", driver, err)
	}
	stop := context.AfterFunc(ctx, func() { d.Close() })
	defer stop()
	err = serve(l)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
