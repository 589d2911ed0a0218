package eos

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	eossim "github.com/cfgvault/cfgvault/plugins/simulate/eos"
)

func TestInfo(t *testing.T) {
	i := New().Info()
	if _, err := plugins.NewText(i); err != nil {
		t.Error(err)
	}
	var drv any = New()
	_, restores := drv.(plugins.Restorer)
	_, adapts := drv.(plugins.Adapter)
	_, renders := drv.(plugins.Renderer)
	_, resets := drv.(plugins.Resetter)
	for c, has := range map[plugins.Capability]bool{
		plugins.CapRestore: restores, plugins.CapAdapt: adapts, plugins.CapRender: renders, plugins.CapFactoryReset: resets,
	} {
		if i.Can(c) != has {
			t.Errorf("%s declared %v, implemented %v", c, i.Can(c), has)
		}
	}
	prompt := regexp.MustCompile(i.Shell.Prompt)
	mode := regexp.MustCompile(i.Shell.ModePrompt)
	for text, want := range map[string][2]bool{
		"localhost>": {true, false}, "leaf-1.dc2#": {true, false},
		"localhost(config)#": {false, true}, "localhost(config-s-scrapl-mgmt-telnet)#": {false, true},
		"localhost(config-if-Et5/1)#": {false, true}, "Password: ": {false, false}, "is it #": {false, false},
	} {
		if prompt.MatchString(text) != want[0] || mode.MatchString(text) != want[1] {
			t.Errorf("%q: prompt %v, mode %v", text, prompt.MatchString(text), mode.MatchString(text))
		}
	}
}

func TestIdentify(t *testing.T) {
	for name, c := range map[string]struct {
		out  string
		want plugins.Facts
		ok   bool
	}{
		"hardware": {"Arista CCS-720XP-24ZY4-F\nHardware version: 11.00\nSerial number: ABC01234567\nHardware MAC address: 001c.7300.aabb\nSystem MAC address: 001c.7300.AABC\n\nSoftware image version: 4.27.6M\n",
			plugins.Facts{Vendor: "Arista", Model: "CCS-720XP-24ZY4-F", Serials: []string{"ABC01234567"}, OS: "EOS", OSVersion: "4.27.6M", MACs: []string{"00:1c:73:00:aa:bc"}}, true},
		"virtual": {"vEOS\nHardware version:    \nSerial number:       \nSystem MAC address:  001c.7300.0001\n\nSoftware image version: 4.23.0.1F\n",
			plugins.Facts{Vendor: "Arista", Model: "vEOS", OS: "EOS", OSVersion: "4.23.0.1F", MACs: []string{"00:1c:73:00:00:01"}}, true},
		"container": {"Arista cEOSLab\nHardware version: \nSerial number: 1234ABCD\nSystem MAC address: 001c.7300.0001\n\nSoftware image version: 4.36.0.1F (engineering build)\n",
			plugins.Facts{Vendor: "Arista", Model: "cEOSLab", Serials: []string{"1234ABCD"}, OS: "EOS", OSVersion: "4.36.0.1F", MACs: []string{"00:1c:73:00:00:01"}}, true},
		"IOS":     {"Cisco IOS Software, Version 15.2(4)\nROM: Bootstrap\n", plugins.Facts{}, false},
		"NX-OS":   {"Cisco Nexus Operating System (NX-OS) Software\nSoftware\n  NXOS: version 9.2(4)\n", plugins.Facts{}, false},
		"FRR":     {"FRRouting 8.4.4 (r1) on Linux\n", plugins.Facts{}, false},
		"refused": {"% Invalid input\n", plugins.Facts{}, false},
		"empty":   {"", plugins.Facts{}, false},
	} {
		got, ok := parseVersion(c.out)
		if ok != c.ok || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v %v", name, got, ok)
		}
	}
	b := newBench(t, device.Options{NoSerial: true, Model: "vEOS-lab"})
	f, err := b.drv.Identify(b.ctx, b.s)
	if err != nil || f.Model != "vEOS-lab" || len(f.Serials) != 0 || f.Hostname != "leaf1" {
		t.Errorf("%+v, %v", f, err)
	}
	// Without a serial number the unit is known by its system MAC address.
	b.must(b.drv.(plugins.Resetter).FactoryReset(b.ctx, b.s, f.MACs[0]))
	if b.dev.Startup() != "" {
		t.Error("not reset")
	}
	b.dev.Inject(device.Fault{Command: "show version", Refuse: "% Invalid input"})
	if _, err := b.drv.Identify(b.ctx, b.s); !errors.Is(err, plugins.ErrWrongPlatform) {
		t.Errorf("a device that is no EOS: %v", err)
	}
}

// TestTruncation cuts a configuration at every byte: none of the pieces may
// pass for the whole, also where the connection gave no sign.
func TestTruncation(t *testing.T) {
	whole := []byte(eossim.Sample)
	for n := range len(whole) {
		piece := whole[:n]
		if len(frame(runningConfig, piece)) == 0 && n != len(whole)-1 { // only the last newline may be missing
			t.Fatalf("cut after %d bytes, and complete: …%q", n, piece[max(0, n-20):])
		}
	}
	if r := frame(runningConfig, whole); len(r) > 0 {
		t.Errorf("the whole: %v", r)
	}
}

func TestFrame(t *testing.T) {
	whole := eossim.Sample
	for code, text := range map[string]string{
		"pager-left":    strings.Replace(whole, "hostname", " --More-- hostname", 1),
		"refused":       strings.Replace(whole, "hostname", "% Invalid input\nhostname", 1),
		"control-bytes": strings.Replace(whole, "hostname", "\x1b[Khostname", 1),
		"no-header":     strings.TrimPrefix(whole, "! Command: show running-config\n! device: leaf1 (DCS-7050SX3-48YC8, EOS-4.29.2F)\n"),
		"no-end":        strings.Replace(whole, "EOF\n", "", 1),
		"after-end":     whole + "leaf1#\n",
	} {
		found := false
		for _, r := range frame(runningConfig, []byte(text)) {
			found = found || r.Code == code
			if strings.Contains(r.Text, "leaf1") {
				t.Errorf("%s: the reason holds configuration: %s", code, r.Text)
			}
		}
		if !found {
			t.Errorf("%s: %v", code, frame(runningConfig, []byte(text)))
		}
	}
	banner := strings.Replace(whole, "Authorised use only.", "% Authorised use only.\nend", 1)
	if r := frame(runningConfig, []byte(banner)); len(r) > 0 {
		t.Errorf("a banner may say anything: %v", r)
	}
}

func TestExportFaults(t *testing.T) {
	commands := []string{"show running-config", "show startup-config", "show boot-config", "show inventory"}
	for i, c := range commands {
		cut := 40
		for name, f := range map[string]device.Fault{
			"refused": {Command: c, Refuse: "% Internal error"},
			"cut":     {Command: c, Cut: &cut},
			"lost":    {Command: c, Lose: true},
		} {
			b := newBench(t, device.Options{})
			b.dev.Inject(f)
			e, err := b.drv.Export(b.ctx, b.s)
			switch {
			case i == 0:
				if err == nil && e.Verdict == plugins.Complete {
					t.Errorf("%s %s: complete", c, name)
				}
			case err != nil:
				t.Errorf("%s %s: %v", c, name, err)
			case name == "refused" && i >= 2: // evidence that not every unit has
				if e.Verdict != plugins.Complete {
					t.Errorf("%s %s: %s", c, name, e.Verdict)
				}
			case e.Verdict != plugins.Partial || len(e.Reasons) == 0 || len(e.Artefacts[0].Data) == 0:
				t.Errorf("%s %s: %s %v", c, name, e.Verdict, e.Reasons)
			}
		}
	}
	b := newBench(t, device.Options{})
	b.user("write erase now")
	if e := b.export(); e.Verdict != plugins.Complete || e.FactoryDefault || len(e.Artefacts) != 5 {
		t.Errorf("never saved, but set up: %s, factory default %v, %d artefacts", e.Verdict, e.FactoryDefault, len(e.Artefacts))
	}
}

// TestForms takes the sample through the tree and back onto a switch.
func TestForms(t *testing.T) {
	b := newBench(t, device.Options{})
	e := b.export()
	f, err := b.drv.Identify(b.ctx, b.s)
	b.must(err)
	n, err := b.drv.Normalize(b.ctx, f, e.Artefacts)
	b.must(err)
	if !bytes.Contains(n.Tree, []byte("leaf1")) || len(n.Coverage) == 0 {
		t.Errorf("tree %s", n.Tree)
	}
	rendered, _, err := b.drv.(plugins.Renderer).Render(b.ctx, n.Tree, f)
	b.must(err)
	if _, err := b.drv.Stage(b.ctx, b.s, "c1", rendered); err != nil {
		t.Errorf("stage what was rendered: %v\n%s", err, rendered[0].Data)
	}
	adapted, _, err := b.drv.(plugins.Adapter).Adapt(b.ctx, e.Artefacts, f, f, plugins.InterfaceMap{"Ethernet1": "Ethernet4", "Ethernet4": "Ethernet1"})
	b.must(err)
	if _, err := b.drv.Stage(b.ctx, b.s, "c2", adapted); err != nil {
		t.Errorf("stage what was adapted: %v", err)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	text, err := plugins.NewText(New().Info())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []string{
		"username admin privilege 15 role network-admin secret sha512 CANARY",
		"username admin secret 5 CANARY", "username admin secret CANARY", "username admin secret 0 CANARY",
		"enable secret sha512 CANARY", "enable password CANARY", "enable secret CANARY", "aaa root secret sha512 CANARY",
		"snmp-server community CANARY ro", "snmp-server community CANARY",
		"snmp-server host 10.1.2.3 version 1 CANARY", "snmp-server host 10.1.2.3 version 2c CANARY",
		"snmp-server host 10.1.2.3 vrf MGMT version 2c CANARY", "snmp-server host 10.1.2.3 vrf MGMT informs version 2c CANARY",
		"snmp-server user u g v3 auth sha CANARY priv aes CANARY", "snmp-server user u g v3 localized f5717f auth sha CANARY priv aes128 CANARY",
		"snmp-server user u g remote 10.0.0.1 v3 auth md5 CANARY",
		"   neighbor 10.0.0.1 password 7 CANARY", "   neighbor LEAVES password CANARY", "   neighbor 10.0.0.1 password 8a CANARY",
		"   ip ospf authentication-key 7 CANARY", "   ip ospf message-digest-key 1 md5 7 CANARY", "   ip ospf message-digest-key 1 sha256 8a CANARY",
		"ntp authentication-key 1 md5 7 CANARY", "ntp authentication-key 1 sha1 CANARY",
		"tacacs-server key 7 CANARY", "tacacs-server host 10.0.0.1 key 7 CANARY", "radius-server host 10.0.0.1 vrf MGMT key CANARY", "radius-server key 0 CANARY",
		"   key 1a2b 7 CANARY", "   key 7 CANARY", "   vrrp 1 authentication text CANARY", "   vrrp 10 authentication ietf-md5 key-string 0 CANARY",
		"   exec /usr/bin/TerminAttr -cvaddr=cv:9910 -cvauth=key,CANARY -smashexcludes=ale", "   exec /usr/bin/TerminAttr -ingestauth=key,CANARY",
		"   pre-shared-key 7 CANARY", "   shared-key CANARY", "   passphrase 0 CANARY",
		"   copy https://user:CANARY@host/file", "   anything $6$salt$CANARY",
	} {
		for _, prefix := range []string{"", "+", "-", " "} {
			got := text.Redact("", prefix+l)
			if strings.Contains(got, "CANARY") {
				t.Errorf("shown: %s", got)
			}
		}
		if got := text.Redact(runningConfig, l); strings.Contains(got, "CANARY") {
			t.Errorf("shown in the running configuration: %s", got)
		}
	}
	if got := text.Redact("boot-config", "Aboot password (encrypted): CANARY"); strings.Contains(got, "CANARY") {
		t.Error("the boot password is shown")
	}
	for _, l := range []string{"hostname leaf1", "   description key account", "ip route 0.0.0.0/0 192.0.2.1", "   neighbor 10.0.0.1 remote-as 65000",
		"management security", "   switchport trunk allowed vlan 10,20", "ntp server 192.0.2.123", "spanning-tree mode mstp"} {
		if got := text.Redact("", l); got != l {
			t.Errorf("%q is shown as %q", l, got)
		}
	}
}

func TestSessionLists(t *testing.T) {
	const head = "Maximum number of completed sessions: 1\nMaximum number of pending sessions: 5\n"
	newer := head + `Merge on commit is disabled
Autosave to startup-config on commit is disabled

Session with pending commit timer: cfgvault-a
Time left until commit timer expiry: in 0:01:59

  Name             State     User  Terminal Completed Time      Committed By
- ---------------- --------- ----- -------- ------------------- ------------
  cfgvault-a       committed                2026-09-20 23:35:15 admin
  cfgvault-with-a-long-name pending   admin vty8
* s1               aborted   admin vty9     2026-09-20 22:19:28
  s2               completed                2026-09-20 22:19:28 admin
  s3               commitFailed
`
	l, err := parseSessions(newer)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]plugins.State{
		"cfgvault-a": plugins.StatePending, "cfgvault-with-a-long-name": plugins.StateStaged, "s1": plugins.StateRolledBack,
		"s2": plugins.StateConfirmed, "s3": plugins.StateUnknown, "s4": plugins.StateNone,
	} {
		if got := l.of(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if l.left.String() != "1m59s" || l.merge || l.autosave {
		t.Errorf("%+v", l)
	}
	older := head + `
Name                      State              User       Terminal       Commit Time Left       Completed Time            Committed By
---------------------- ------------------ ---------- -------------- ---------------------- ------------------------- ------------
cfgvault-a             pendingCommitTimer                           0:04:30.5              2021-08-08 13:50:00       user4
sess-2                 pending
`
	if l, err = parseSessions(older); err != nil {
		t.Fatal(err)
	}
	if l.of("cfgvault-a") != plugins.StatePending || l.left.String() != "4m30.5s" || l.of("sess-2") != plugins.StateStaged {
		t.Errorf("%+v", l)
	}
	if l, err = parseSessions(head); err != nil || len(l.state) != 0 {
		t.Errorf("no sessions: %+v, %v", l, err)
	}
	if l, err = parseSessions(strings.Replace(newer, "0:01:59", "soon", 1)); err != nil || l.of("cfgvault-a") != plugins.StatePending || l.leftErr == nil {
		t.Errorf("a time that is none: %+v, %v", l, err)
	}
	for _, bad := range []string{"", "garbage\n"} {
		if _, err := parseSessions(bad); err == nil {
			t.Errorf("%q is a list of sessions", bad)
		}
	}
	on, err := parseSessions(strings.ReplaceAll(newer, "disabled", "enabled"))
	if err != nil || !on.merge || !on.autosave {
		t.Errorf("%+v, %v", on, err)
	}
}

func FuzzSessionList(f *testing.F) {
	f.Add("Maximum number of pending sessions: 5\n  Name State\n- ---- -----\n* a pending\n")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseSessions(text)
		if err != nil {
			return
		}
		for name := range l.state {
			if name == "" || l.of(name) == plugins.StateNone {
				t.Errorf("%q is listed and not there", name)
			}
		}
	})
}

// FuzzText: splitting loses nothing, and a text is never missing a line of its
// own.
func FuzzText(f *testing.F) {
	f.Add(eossim.Sample)
	f.Add("banner login\nend\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines, _ := split([]byte(text))
		if len(lines) != strings.Count(text, "\n")+min(1, len(text)-strings.LastIndexByte(text, '\n')-1) {
			t.Errorf("%d lines of %q", len(lines), text)
		}
		if gone := missing([]byte(text), text); len(gone) != 0 {
			t.Errorf("line %d is missing from its own text", gone[0].number)
		}
		if !equal(text, text) {
			t.Error("not equal to itself")
		}
		frame(runningConfig, []byte(text))
		factoryDefault([]byte(text))
	})
}
