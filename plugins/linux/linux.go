// Package linux drives a plain Linux machine by SSH: it keeps a declared list
// of configuration files and puts them back, in force and on disk, under a
// dead-man on the machine that also works across a reboot.
//
// It does not manage packages, services or users, and it does not know what the
// files mean beyond how to check them and how to make the system read them
// again; the lenses read them into the common tree.
package linux

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// New returns the driver.
func New() plugins.Driver { return driver{} }

type driver struct{}

var (
	_ plugins.Restorer = driver{}
	_ plugins.Adapter  = driver{}
	_ plugins.Resetter = driver{}
)

// The driver's options.
const (
	optFiles  = "files"
	optNoBoot = "without-boot-job"
)

// declared are the files of a full backup, below /: a file, or a folder with
// all below it.
func declared() []string {
	return []string{
		"etc/hostname", "etc/hosts",
		"etc/systemd/network/**", "etc/network/interfaces", "etc/network/interfaces.d/**",
		"etc/sysctl.conf", "etc/sysctl.d/**", "etc/nftables.conf",
		"etc/ssh/sshd_config", "etc/ssh/sshd_config.d/**",
	}
}

const filesPattern = `^/?[A-Za-z0-9._@+-]+(/[A-Za-z0-9._@+-]+)*(/\*\*)?(,/?[A-Za-z0-9._@+-]+(/[A-Za-z0-9._@+-]+)*(/\*\*)?)*$`

var filesOption = regexp.MustCompile(filesPattern)

// fileList is what a session's device declares: the defaults and the option.
func fileList(options map[string]string) ([]string, error) {
	list := declared()
	more := options[optFiles]
	if more == "" {
		return list, nil
	}
	if !filesOption.MatchString(more) {
		return nil, fmt.Errorf("option %s: %q is not a list of files", optFiles, more)
	}
	for f := range strings.SplitSeq(more, ",") {
		f = strings.TrimPrefix(f, "/")
		if path.Clean(f) != f {
			return nil, fmt.Errorf("option %s: %q is not a plain path", optFiles, f)
		}
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list, nil
}

// covered reports whether the list declares a file.
func covered(list []string, name string) bool {
	return slices.ContainsFunc(list, func(f string) bool {
		dir, tree := strings.CutSuffix(f, "/**")
		return f == name || tree && strings.HasPrefix(name, dir+"/")
	})
}

func (driver) Info() plugins.Info {
	i := plugins.Info{
		Name: "linux", Version: "1.0.0", Vendor: "Linux", Platform: "Linux with a POSIX shell (Debian 12 and like)",
		Tested: plugins.TestedReal,
		Notes: []string{
			"tested with Debian 12 without systemd as init; the calls to systemd-run, systemctl and networkctl are tested in form only",
			"a restore needs root, or sudo without a password",
			"a factory reset removes the declared files but sshd_config; packages, users, host keys and everything undeclared stay, and what is in force stays until the next boot",
			"with plain ifupdown, changed interfaces take effect at the next boot; with ifupdown2 and systemd-networkd at once",
		},
		Capabilities: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt, plugins.CapFactoryReset},
		Options: []plugins.Option{
			{Name: optFiles, Text: "more files to keep, comma-separated; a folder with all below it ends in /**: etc/chrony/**,etc/timezone", Pattern: filesPattern},
			{Name: optNoBoot, Text: "\"allow\": restore although nothing on the machine could roll back after a reboot", Pattern: `^(allow|refuse)$`},
		},
		Transports: []plugins.Transport{plugins.TransportExec},
		Secrets: []plugins.SecretRule{
			{ID: "networkd-key", Pattern: `(?i)(?:PrivateKey|PresharedKey|Password|PSK|Key)\s*=\s*(.+)$`},
			{ID: "ifupdown-wpa", Pattern: `(?i)(?:wpa-psk|wpa-password|wireless-key\d?|wpa-private-key-passwd)\s+(.+)$`},
			{ID: "pem", Pattern: `BEGIN [A-Z ]*PRIVATE KEY`, Until: `END [A-Z ]*PRIVATE KEY`},
		},
		Rollback: plugins.RollbackDeadman,
	}
	for _, f := range declared() {
		i.Artefacts = append(i.Artefacts, plugins.ArtefactSpec{Name: f, Role: plugins.RoleFile})
	}
	i.Artefacts = append(i.Artefacts, plugins.ArtefactSpec{Name: osRelease, Role: plugins.RoleState, Bind: plugins.BindVersion, Required: true},
		plugins.ArtefactSpec{Name: plugins.PortsArtefact, Role: plugins.RoleState})
	return i
}

// Normalize implements plugins.Driver.
func (driver) Normalize(_ context.Context, f plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	return normalize(f, native)
}

// Adapt implements plugins.Adapter.
func (driver) Adapt(_ context.Context, native []plugins.Artefact, from, to plugins.Facts, m plugins.InterfaceMap) ([]plugins.Artefact, []plugins.Loss, error) {
	return adapt(native, from, to, m)
}
