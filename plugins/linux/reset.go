package linux

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/deadman"
)

// keptByReset are declared files that a reset leaves: without them nobody gets in any
// more, and no package manager is asked to bring its own back.
func keptByReset(name string) bool { return name == "etc/ssh/sshd_config" }

// resetScript removes the declared files, and gives the machine the name of one
// that has none. Addresses and rules in force stay until the next boot: that is
// how the login survives.
func resetScript(list []string) string {
	var b strings.Builder
	b.WriteString("LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; cd / || exit 1\n" +
		`[ "$(id -u)" = 0 ] || { echo no-permission; exit; }` + "\n" +
		`for x in /var/lib/cfgvault/*/armed; do [ ! -e "$x" ] || { echo busy; exit; }; done` + "\n")
	for _, f := range list {
		dir, tree := strings.CutSuffix(f, "/**")
		switch {
		case keptByReset(f), f == "etc/hostname", f == "etc/hosts":
		case tree:
			// What stands empty in the package stays: the folder and its README.
			fmt.Fprintf(&b, "[ ! -d %[1]s ] || find %[1]s -mindepth 1 \\( -type f -o -type l \\) ! -name 'README*' -exec rm -f {} + || { echo failed; exit; }\n", deadman.Quote(dir))
		default:
			fmt.Fprintf(&b, "rm -f %s || { echo failed; exit; }\n", deadman.Quote(f))
		}
	}
	b.WriteString(`{ echo localhost >etc/hostname && printf '127.0.0.1\tlocalhost\n' >etc/hosts; } || { echo failed; exit; }
rm -rf /var/lib/cfgvault
hostname localhost 2>/dev/null
if [ -d /run/systemd/system ]; then systemctl reload ssh 2>/dev/null || systemctl reload sshd 2>/dev/null
elif pid=$(cat /run/sshd.pid 2>/dev/null); then kill -HUP "$pid"; fi
sync
echo done
`)
	return b.String()
}

// FactoryReset removes the declared files, /etc/ssh/sshd_config excepted, and
// sets the host name to localhost. Linux has no factory state: packages, users,
// passwords, SSH host keys, logs and every file that is not declared stay. What
// is in force stays until the next boot, after which the machine has no network
// configuration of its own any more: the way in may then be gone.
func (d driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	list, err := fileList(s.Options())
	if err != nil {
		return fmt.Errorf("factory reset: %w", err)
	}
	f, err := d.Identify(ctx, s)
	if err != nil {
		return fmt.Errorf("factory reset: %w", err)
	}
	if len(f.Serials) == 0 || token == "" || f.Serials[0] != token {
		return fmt.Errorf("factory reset: %w", plugins.ErrWrongUnit)
	}
	out, err := s.Run(ctx, plugins.Command{
		Text:  `sh -c 'if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then exec sudo -n sh -s; else exec sh -s; fi'`,
		Input: []byte(resetScript(list)), Write: true,
	})
	if err != nil {
		return fmt.Errorf("factory reset: %w", err)
	}
	switch strings.TrimSpace(string(out.Stdout)) {
	case "done":
		return nil
	case "no-permission":
		return fmt.Errorf("factory reset: the login is not root and may not sudo without a password: %w", plugins.ErrNotPermitted)
	case "busy":
		return fmt.Errorf("factory reset: a change is under way: %w", plugins.ErrBusy)
	case "failed":
		return errors.New("factory reset: a declared file could not be removed; some may be gone")
	}
	if out.End == plugins.EndCut {
		return fmt.Errorf("factory reset: %w", plugins.ErrSessionLost)
	}
	return errors.New("factory reset: the login does not run a shell that can do it")
}
