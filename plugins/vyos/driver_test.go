package vyos

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	vyossim "github.com/cfgvault/cfgvault/plugins/simulate/vyos"
)

func digest(data []byte) [32]byte { return sha256.Sum256(data) }

func TestPrompts(t *testing.T) {
	i := New().Info()
	prompt, mode := regexp.MustCompile(i.Shell.Prompt), regexp.MustCompile(i.Shell.ModePrompt)
	for text, want := range map[string][2]bool{
		"vyos@vyos:~$ ": {true, false}, "ops@edge-1.dc:/config$ ": {true, false}, "vyos@vyos> ": {true, false}, "vyos@vyos# ": {false, true},
		"Password: ": {false, false}, "is it $ ": {false, false},
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
		"metal": {"Version:          VyOS 1.4.3\nHardware vendor:  Example Inc\nHardware model:   X-1\nHardware S/N:     A1\nHardware UUID:    u-1\n",
			plugins.Facts{Vendor: "VyOS", Model: "Example Inc X-1", Serials: []string{"A1"}, OS: "VyOS", OSVersion: "1.4.3"}, true},
		"virtual": {"Version:          VyOS 1.5-rolling-202410060007\nHardware vendor:  QEMU\nHardware model:   Standard PC\nHardware S/N:\nHardware UUID:    u-2\n",
			plugins.Facts{Vendor: "VyOS", Model: "QEMU Standard PC", Serials: []string{"u-2"}, OS: "VyOS", OSVersion: "1.5-rolling-202410060007"}, true},
		"EOS":     {"Arista vEOS\n", plugins.Facts{}, false},
		"refused": {"  Invalid command: [show]\n", plugins.Facts{}, false},
	} {
		got, ok := parseVersion(c.out)
		if ok != c.ok || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v %v", name, got, ok)
		}
	}
	for version, old := range map[string]bool{"1.3.8": true, "1.2.9-S1": true, "1.4.3": false, "1.5-rolling-1": false, "1.30": false, "999.2024": false} {
		if oldRelease.MatchString(version) != old {
			t.Errorf("%s: old %v", version, !old)
		}
	}
}

// TestTruncation cuts a saved configuration at every byte: the footer, and
// braces, tell every cut but those within the release that ends it.
func TestTruncation(t *testing.T) {
	whole := vyossim.Sample
	if r := frame(savedConfig, whole, true); len(r) > 0 {
		t.Fatalf("the whole: %v", r)
	}
	for n := range strings.LastIndex(whole, "version: ") + len("version: ") {
		if len(frame(savedConfig, body(whole[:n]), true)) == 0 {
			t.Fatalf("cut after %d bytes, and complete", n)
		}
	}
}

func TestFrame(t *testing.T) {
	whole := vyossim.Sample
	for code, text := range map[string]string{
		"no-footer":     strings.Replace(whole, vyossim.Footer, "", 1),
		"no-end":        strings.Replace(whole, "    }\n}\n", "    }\n", 1),
		"stray-line":    "hello\n" + whole,
		"no-statements": vyossim.Footer,
	} {
		found := false
		for _, r := range frame(savedConfig, text, true) {
			found = found || r.Code == code
		}
		if !found {
			t.Errorf("%s: %v", code, frame(savedConfig, text, true))
		}
	}
	old := "system {\n}\n\n/* Warning: Do not remove the following line. */\n/* === vyatta-config-version: \"a@1\" === */\n/* Release version: 1.2.8 */\n"
	if r := frame(savedConfig, old, true); len(r) > 0 {
		t.Errorf("the footer of 1.2: %v", r)
	}
	if got := footerOf(old); strings.Count(got, "\n") != 3 {
		t.Errorf("footer %q", got)
	}
}

func TestAdapt(t *testing.T) {
	in := "interfaces {\n    ethernet eth0 {\n        description eth0\n        hw-id 02:00:00:00:00:01\n        vif 7 {\n        }\n    }\n    ethernet eth1 {\n    }\n}\nprotocols {\n    ospf {\n        interface eth0.7 {\n        }\n    }\n}\nset x\n"
	out, losses, err := adapt([]plugins.Artefact{{Name: runningConfig, Data: []byte(in)}, {Name: "version", Bind: plugins.BindUnit}},
		plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"eth0": "eth5"})
	if err != nil || len(out) != 1 || len(losses) != 2 {
		t.Fatalf("%v, %d artefacts, losses %v", err, len(out), losses)
	}
	want := "interfaces {\n    ethernet eth5 {\n        description eth0\n        vif 7 {\n        }\n    }\n    ethernet eth1 {\n    }\n}\nprotocols {\n    ospf {\n        interface eth5.7 {\n        }\n    }\n}\nset x\n"
	if got := string(out[0].Data); got != want {
		t.Errorf("got\n%s", got)
	}
	if _, _, err := adapt([]plugins.Artefact{{Name: runningConfig, Data: []byte(in)}}, plugins.Facts{}, plugins.Facts{}, plugins.InterfaceMap{"eth0": "eth1"}); err == nil {
		t.Error("two interfaces came to have one name")
	}
}
