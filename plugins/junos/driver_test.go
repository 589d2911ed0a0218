package junos

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	junossim "github.com/cfgvault/cfgvault/plugins/simulate/junos"
)

func TestPrompts(t *testing.T) {
	i := New().Info()
	prompt, mode := regexp.MustCompile(i.Shell.Prompt), regexp.MustCompile(i.Shell.ModePrompt)
	for text, want := range map[string][2]bool{
		"boxen> ": {true, false}, "admin@edge-1.dc2> ": {true, false}, "root@ex4300-1# ": {false, true}, "user# ": {false, true},
		"root@:RE:0% ": {false, false}, "Password:": {false, false}, "is it > ": {false, false},
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
		"router":  {"Hostname: lab\nModel: mx240\nJunos: 13.3R1.4\nJUNOS Base OS boot [13.3R1.4]\n", plugins.Facts{Vendor: "Juniper", Model: "MX240", OS: "Junos", OSVersion: "13.3R1.4", Hostname: "lab"}, true},
		"no name": {"Model: srx300\nJunos: 22.4R3-S2.11\nJUNOS Software Release [22.4R3-S2.11]\n", plugins.Facts{Vendor: "Juniper", Model: "SRX300", OS: "Junos", OSVersion: "22.4R3-S2.11"}, true},
		"old":     {"Hostname: sw\nModel: ex4200-24t\nJUNOS Base OS boot [12.3R6.6]\n", plugins.Facts{Vendor: "Juniper", Model: "EX4200-24T", OS: "Junos", OSVersion: "12.3R6.6", Hostname: "sw"}, true},
		"members": {"fpc0:\n----------\nHostname: vc\nModel: ex3400-48t\nJunos: 21.4R3\n\nfpc1:\n----------\nHostname: vc\nModel: ex3400-48t\n", plugins.Facts{Vendor: "Juniper", Model: "EX3400-48T", OS: "Junos", OSVersion: "21.4R3", Hostname: "vc"}, true},
		"EOS":     {"Arista vEOS\nSoftware image version: 4.22\n", plugins.Facts{}, false},
		"refused": {"unknown command.\n", plugins.Facts{}, false},
	} {
		got, ok := parseVersion(c.out)
		if ok != c.ok || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v %v", name, got, ok)
		}
	}
	hardware := "Hardware inventory:\nItem             Version  Part number  Serial number     Description\nChassis                                CW0100AF0001      SRX300\nMidplane         REV 01   750-000001   XX0001            Midplane\n"
	if m := chassisLine.FindStringSubmatch(hardware); m == nil || m[1] != "CW0100AF0001" {
		t.Errorf("serial %q", m)
	}
}

// TestTruncation cuts a configuration at every byte. Braces tell most cuts,
// and the second reading of the last lines the rest: those after a whole
// top-level block.
func TestTruncation(t *testing.T) {
	whole := junossim.Sample
	tail := lastLines(whole, 12)
	unseen := 0
	for n := range len(whole) - 1 {
		piece := body(whole[:n])
		if len(frame(configuration, piece)) > 0 {
			continue
		}
		if unseen++; strings.HasSuffix(piece, tail) {
			t.Fatalf("cut after %d bytes, and complete", n)
		}
	}
	if unseen == 0 || len(frame(configuration, whole)) > 0 {
		t.Errorf("%d cuts balance; the whole: %v", unseen, frame(configuration, whole))
	}
}

func lastLines(text string, n int) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	return strings.Join(lines[len(lines)-n:], "") + "\n"
}

func TestFrame(t *testing.T) {
	whole := junossim.Sample
	for code, text := range map[string]string{
		"no-header":     strings.TrimPrefix(whole, "## Last commit: 2026-11-22 20:15:03 UTC by admin\n"),
		"access-denied": strings.Replace(whole, `"$6$cfgvault$hashCanaryRoot"`, "/* ACCESS-DENIED */", 1),
		"header-within": whole + whole,
		"no-end":        strings.Replace(whole, "mtu 9192;", "mtu 9192", 1),
		"no-statements": "## Last commit: 2026-11-22 20:15:03 UTC by admin\n",
	} {
		found := false
		for _, r := range frame(configuration, text) {
			found = found || r.Code == code
			if strings.Contains(r.Text, "edge1") {
				t.Errorf("%s: the reason holds configuration: %s", code, r.Text)
			}
		}
		if !found {
			t.Errorf("%s: %v", code, frame(configuration, text))
		}
	}
	if got := body("\n\n## x\ny;\n\n{master:0}\n"); got != "## x\ny;\n" {
		t.Errorf("body %q", got)
	}
}

func TestHistory(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want plugins.State
	}{
		"pending":     {"0   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    cfgvault-x\n    rollback pending\n1   2026-09-20 20:00:00 UTC by root via other\n", plugins.StatePending},
		"confirmed":   {"0   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    cfgvault-x\n", plugins.StateConfirmed},
		"committed":   {"0   2026-09-20 23:17:30 UTC by bob via cli\n1   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    cfgvault-x\n", plugins.StateConfirmed},
		"rolled back": {"0   2026-09-20 23:19:20 UTC by root via other\n1   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    cfgvault-x\n", plugins.StateRolledBack},
		"rebooted":    {"0   2026-09-20 23:17:02 UTC by root via other\n1   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 10mins\n    cfgvault-x\n", plugins.StateRolledBack},
		"much later":  {"0   2026-09-21 23:19:20 UTC by root via other\n1   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    cfgvault-x\n", plugins.StateConfirmed},
		"discarded":   {"0   2026-09-20 23:17:20 UTC by admin via cli\n    cfgvault-x-discarded\n1   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    cfgvault-x\n", plugins.StateRolledBack},
		"unknown":     {"0   2026-09-20 23:17:20 UTC by admin via cli\n    cfgvault-xy\n", plugins.StateNone},
	} {
		h, err := commits(t.Context(), says(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := h.of("cfgvault-x"); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestAdapt(t *testing.T) {
	in := "interfaces {\n    ge-0/0/0 {\n        mac 02:00:00:00:00:01;\n        description ge-0/0/0;\n        unit 0 {\n            family inet;\n        }\n    }\n    ae0 {\n        mtu 9000;\n    }\n}\nsnmp {\n    engine-id {\n        local x;\n    }\n}\nprotocols {\n    ospf {\n        area 0.0.0.0 {\n            interface ge-0/0/0.0;\n            interface all;\n        }\n    }\n}\n"
	out, losses, err := adapt([]plugins.Artefact{{Name: configuration, Data: []byte(in)}, {Name: "hardware", Bind: plugins.BindUnit}},
		plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"ge-0/0/0": "xe-0/0/7"})
	if err != nil || len(out) != 1 || len(losses) != 3 {
		t.Fatalf("%v, %d artefacts, losses %v", err, len(out), losses)
	}
	want := "interfaces {\n    xe-0/0/7 {\n        description ge-0/0/0;\n        unit 0 {\n            family inet;\n        }\n    }\n    ae0 {\n        mtu 9000;\n    }\n}\nsnmp {\n}\nprotocols {\n    ospf {\n        area 0.0.0.0 {\n            interface xe-0/0/7.0;\n            interface all;\n        }\n    }\n}\n"
	if got := string(out[0].Data); got != want {
		t.Errorf("got\n%s", got)
	}
	if _, _, err := adapt([]plugins.Artefact{{Name: configuration, Data: []byte(in)}}, plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"ge-0/0/0": "ae0"}); err == nil {
		t.Error("two interfaces came to have one name")
	}
}
