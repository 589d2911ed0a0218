package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/simulate"
)

// atConsole is what somebody has to type at the console of a reset unit before
// it can take its configuration, by what a wipe says that it needs.
var atConsole = map[string]struct {
	says  string
	types []string
}{
	"ios":  {`configure "archive"`, []string{"configure terminal", "archive", "path flash:archive", "exit", "ip scp server enable", "username admin privilege 15 secret switch-password", "end"}},
	"nxos": {`configure "feature scp-server"`, []string{"configure terminal", "feature scp-server", "end"}},
}

// Every platform that can be simulated is reset by its own means and brought
// back by one command. What a reset unit lacks to be brought back is said to
// whoever stands at its console; what would not come back is said before.
func TestWipePlatforms(t *testing.T) {
	t.Parallel()
	for _, driver := range simulate.Names() {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			b := newUnit(t, driver, "WP00000001", false)
			h.addUnit(b, "unit1")
			running, startup, key := settings(b.Running()), settings(b.Startup()), string(b.HostKey().Marshal())
			args := []string{"wipe", "unit1", "--serial", b.serial, "--yes", "--proof-within", "20s"}
			if r := h.run(args...); r.code != 0 {
				if r.code != 16 || !strings.Contains(r.err, "allow-losses") || settings(b.Running()) != running {
					t.Fatalf("exit status %d: %s%s", r.code, r.out, r.err)
				}
				r = h.must(append(args, "--allow-losses")...)
				if !strings.Contains(r.out, "to do: not brought back: ") {
					t.Errorf("nobody is told what has to be brought back by hand:\n%s", r.out)
				}
			}
			if settings(b.Running()) == running {
				t.Fatal("nothing was reset")
			}
			renewed := string(b.HostKey().Marshal()) != key
			if r := h.must("receipt", "list", "unit1", "--json"); !renewed && !strings.Contains(r.out, `"proof": "factory-default"`) {
				t.Errorf("the reset was not proved:\n%s", r.out)
			}

			// What is in use again is wiped again, and comes back by itself.
			b = newUnit(t, driver, "WP00000002", false)
			h.addUnit(b, "unit2")
			running, startup = settings(b.Running()), settings(b.Startup())
			args = []string{"wipe", "unit2", "--serial", b.serial, "--yes", "--allow-losses", "--then-restore", "--wait", "30s", "--proof-within", "1s"}
			if renewed {
				r := h.want(3, args...)
				if !strings.Contains(r.err, "--allow-host-key") {
					t.Errorf("a new host key: %s", r.err)
				}
				args = []string{"wipe", "unit2", "--resume", "--yes", "--allow-host-key"}
			}
			console := atConsole[driver]
			code, hit, said := h.faultyRun(point{"wait", "wait", console.says}, nil, func(*os.Process) { typeAt(t, b.Device, console.types...) }, args...)
			if code != 0 || hit != (console.says != "") {
				t.Fatalf("exit status %d, at the console: %v\n%s", code, hit, said)
			}
			if got := settings(b.Running()); got != running {
				t.Errorf("it runs\n%s\nwant\n%s", got, running)
			}
			if got := settings(b.Startup()); got != startup {
				t.Errorf("it would start with\n%s\nwant\n%s", got, startup)
			}
			// What was not brought back is missed until somebody brings it, or accepts that.
			if r := h.run("backup", "unit2"); r.code != 0 && (r.code != 3 || !strings.Contains(r.out, "artefact-gone")) {
				t.Errorf("backup: exit status %d %s%s", r.code, r.out, r.err)
			}
		})
	}
}
