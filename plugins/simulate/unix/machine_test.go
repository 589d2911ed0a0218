package unix_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/unix"
)

func machine(o unix.Options) (*unix.Machine, *device.ManualClock) {
	clock := device.NewManualClock(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))
	o.Clock, o.Hostname = clock, "box"
	m := unix.New(o)
	m.With(func(f *unix.Files) {
		f.Put("/etc/a", []byte("one\ntwo\n"), 0o644)
		f.Put("/srv/x", nil, 0o644)
		f.Put("/tmp/x", nil, 0o644)
		f.Link("/var", "/tmp")
	})
	return m, clock
}

func TestShell(t *testing.T) {
	m, _ := machine(unix.Options{Without: []string{"setsid"}})
	for line, want := range map[string]string{
		`cat /etc/a | grep -v one`:                                                    "two\n",
		`cd /etc && sed "s/^/|/" a | head -n 1; echo $?`:                              "|one\n0\n",
		`sh -c 'echo "$0 $1"; exit 3' name word; echo $?`:                             "name word\n3\n",
		`command -v setsid || echo none; command -v tar >/dev/null && echo tar`:       "none\ntar\n",
		`mkdir -p /tmp/d/e && echo x >/var/d/e/f && ls /tmp/d/e && readlink /var`:     "f\n/tmp\n",
		`no-such 2>/dev/null; echo $?`:                                                "127\n",
		`[ -d /etc ] && [ -f /etc/a ] && [ ! -e /b ] && [ -L /var ] && echo y`:        "y\n",
		`cp -a /etc/a /tmp/b && cmp -s /etc/a /tmp/b && rm /tmp/b && echo y`:          "y\n",
		`tar -cf - -C /etc a | tar -xof - -C /tmp && cat /tmp/a`:                      "one\ntwo\n",
		`printf 'a\nb\n' | sort -u | tr '\n' ' '; hostname; [ $$ -gt 100 ] && echo y`: "a b box\ny\n",
		`cd /etc && echo 'for f in a*; do echo "$PWD/$f"; done' | sh -s`:              "/etc/a\n",
		`for f in /etc/*; do echo "${f##*/}"; done`:                                   "a\n",
		`[[ a = a ]] 2>/dev/null || echo "no bash"`:                                   "no bash\n",
		`read -r up _ </proc/uptime; echo ${up%%.*}`:                                  "0\n",
	} {
		var out bytes.Buffer
		if m.Shell(line, nil, &out, &out); out.String() != want {
			t.Errorf("%s\n got %q, want %q", line, out.String(), want)
		}
	}
}

func TestProcesses(t *testing.T) {
	m, clock := machine(unix.Options{Volatile: []string{"/tmp"}})
	run := func(line string) string {
		var out bytes.Buffer
		m.Shell(line, nil, &out, &out)
		return strings.TrimSpace(out.String())
	}
	m.Write("/srv/job", "echo $$ >/srv/pid\nsleep 60\necho done >/srv/done\n")
	run("setsid sh /srv/job >/dev/null 2>&1 </dev/null &")
	m.Settle()
	if got := run(`read -r p </srv/pid; tr '\000' ' ' </proc/$p/cmdline`); got != "sh /srv/job" {
		t.Errorf("the process is %q", got)
	}
	clock.Advance(59 * time.Second)
	m.Settle()
	if m.Exists("/srv/done") {
		t.Error("the job did not sleep")
	}
	clock.Advance(time.Second)
	m.Settle()
	if m.Read("/srv/done") != "done\n" {
		t.Error("the job did not go on when its login had ended")
	}
	run("rm /srv/done; start-stop-daemon -S -b -n x -a /bin/sh -- /srv/job")
	m.Settle()
	run(`kill -TERM "-$(cat /srv/pid)"`)
	m.Settle()
	clock.Advance(time.Hour)
	m.Settle()
	if m.Exists("/srv/done") {
		t.Error("the job was not killed")
	}
	ahead := m.Clone()
	ahead.Write("/etc/a", "other\n")
	if m.Read("/etc/a") != "one\ntwo\n" {
		t.Error("a clone changes the machine")
	}
	run("setsid sh /srv/job &")
	m.Settle()
	m.Reboot()
	m.Settle()
	clock.Advance(time.Hour)
	m.Settle()
	if m.Exists("/srv/done") || m.Exists("/tmp/x") || !m.Exists("/etc/a") || run("cat /proc/uptime") != "3600.00 3600.00" {
		t.Error("a reboot is none")
	}
	m.Fill(true)
	if got := run("echo x >/srv/new || echo full"); !strings.Contains(got, "full") {
		t.Errorf("a full disk: %q", got)
	}
}
