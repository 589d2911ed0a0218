package frr

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// FRR has no command that resets it. What it has without anybody's
// configuration is the profile of defaults, the host name, the line by which the
// package logs and what the kernel says of forwarding; frr-reload.py brings it there, write memory keeps it. The
// work runs in a process of its own, because the routes by which the login came
// may be among what goes.
const resetScript = lib + `umask 077
for x in "$HOME"/.cfgvault/*/armed /var/lib/cfgvault/*/armed; do [ ! -e "$x" ] || { echo busy; exit 75; }; done
b=$(mktemp -d) && cd "$b" && d=$b && mkdir conf || exit 73
command -v python3 >/dev/null && [ -e /usr/lib/frr/frr-reload.py ] || { echo "no-tool"; exit 69; }
[ -w /etc/frr ] || vtysh -c "show daemons" | grep -q -w watchfrr || { echo "no-permission"; exit 77; }
[ ! -r /etc/frr/vtysh.conf ] || ! grep -q -x 'no service integrated-vtysh-config' /etc/frr/vtysh.conf || { echo "split"; exit 69; }
running old.raw || { echo "unreadable"; exit 77; }
{ grep -E '^(frr defaults |hostname |log syslog|service integrated-vtysh-config|(no )?ip(v6)? forwarding)' old.raw; echo '!'; echo end; } >conf/frr.conf
if [ -r /etc/frr/vtysh.conf ]; then cp /etc/frr/vtysh.conf conf/vtysh.conf; else echo 'service integrated-vtysh-config' >conf/vtysh.conf; fi
cat >work.sh <<'END'
cd "$1" && . ./lib.sh || exit 1
inforce conf && vtysh -c 'write memory' && running now.raw && same now.raw /etc/frr/frr.conf || { echo failed >result; exit 1; }
rm -f /etc/frr/*.sav "$HOME/.history_frr"
echo done >result
END
cat >lib.sh <<'END'
` + lib + `END
setsid sh work.sh "$b" </dev/null >work.log 2>&1 &
echo "folder $b"
`

// FactoryReset empties FRR's configuration, running and startup, and removes the
// copies that FRR keeps of old ones. It leaves /etc/frr/daemons, and everything
// of the Linux machine below: interfaces and addresses that FRR did not set,
// users and their files. Addresses that FRR did set go, and with them perhaps
// the way in.
func (d driver) FactoryReset(ctx context.Context, s plugins.Session, token string) error {
	f, err := d.Identify(ctx, s)
	if err != nil {
		return fmt.Errorf("factory reset: %w", err)
	}
	unit := f.Serials
	if len(unit) == 0 {
		unit = f.MACs
	}
	if len(unit) == 0 || token == "" || unit[0] != token {
		return fmt.Errorf("factory reset: %w", plugins.ErrWrongUnit)
	}
	out, err := s.Run(ctx, plugins.Command{Text: "sh -s", Input: []byte(resetScript), Write: true})
	if err != nil {
		return fmt.Errorf("factory reset: %w", err)
	}
	said := strings.TrimSpace(string(out.Stdout))
	folder, ok := strings.CutPrefix(said, "folder ")
	switch {
	case said == "no-tool":
		return fmt.Errorf("factory reset: frr-reload.py is missing on the device; install the package frr-pythontools there: %w", plugins.ErrNotPermitted)
	case said == "split":
		return fmt.Errorf("factory reset: the device keeps one configuration file per daemon: %w", errors.ErrUnsupported)
	case said == "no-permission", said == "unreadable":
		return fmt.Errorf("factory reset: the login may not read or save FRR's configuration: %w", plugins.ErrNotPermitted)
	case said == "busy":
		return fmt.Errorf("factory reset: a change is under way: %w", plugins.ErrBusy)
	case !ok && out.End == plugins.EndCut:
		return fmt.Errorf("factory reset: %w", plugins.ErrSessionLost)
	case !ok || strings.ContainsAny(folder, " \n'\""):
		return errors.New("factory reset: the login does not run a shell that can do it")
	}
	for {
		out, err := s.Run(ctx, plugins.Command{Text: "cat " + folder + "/result 2>/dev/null || echo running"})
		if err != nil {
			return fmt.Errorf("factory reset: %w", err)
		}
		switch strings.TrimSpace(string(out.Stdout)) {
		case "done":
			// Best effort: the folder holds what was configured.
			_, err := s.Run(ctx, plugins.Command{Text: "rm -rf " + folder, Write: true})
			if err != nil && !errors.Is(err, plugins.ErrSessionLost) {
				return fmt.Errorf("factory reset: it is done, but %s stays on the device: %w", folder, err)
			}
			return nil
		case "failed":
			return fmt.Errorf("factory reset: FRR did not give up all of its configuration; %s/work.log on the device says why", folder)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
