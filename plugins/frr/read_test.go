package frr

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

// said is a session that answers every command with the same bytes.
type said struct {
	out plugins.Output
	err error
}

func (s said) ID() string                                                   { return "said" }
func (s said) Options() map[string]string                                   { return nil }
func (s said) Run(context.Context, plugins.Command) (plugins.Output, error) { return s.out, s.err }
func (s said) CLI(context.Context) (plugins.CLI, error)                     { return nil, errors.ErrUnsupported }
func (s said) Open(context.Context, string, string) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}

// What a login with ForceCommand vtysh prints: a greeting, then prompt and
// command before each answer.
const forced = "\nHello, this is FRRouting (version 8.4.4).\n\nr1# ! cfgvault 0\nr1# show running-config\nBuilding configuration...\n\nCurrent configuration:\n!\nfrr version 8.4.4\nhostname r1\n" +
	"banner motd line r1# ! cfgvault 1\n!\nend\nr1# ! cfgvault 1\nr1# show version\nFRRouting 8.4.4 (r1) on Linux(6.1).\nr1# ! cfgvault 2\nr1# show daemons\n zebra staticd\nr1# ! cfgvault 3\nr1# exit\n"

func TestForcedLogin(t *testing.T) {
	x, err := New().Export(t.Context(), said{out: plugins.Output{Stdout: []byte(forced), End: plugins.EndStatus}})
	if err != nil || x.Verdict != plugins.Unknown {
		t.Fatalf("got %+v %v", x, err)
	}
	run := string(x.Artefacts[0].Data)
	if !strings.HasPrefix(run, "Building") || !strings.HasSuffix(run, "!\nend\n") || !strings.Contains(run, "line r1# ! cfgvault 1\n") {
		t.Errorf("running-config is %q", run)
	}
	// Cut anywhere, it is an error: never a shorter configuration.
	for n := range len(forced) - len("r1# exit\n") - 1 {
		for _, end := range []plugins.End{plugins.EndCut, plugins.EndClosed} {
			x, err := New().Export(t.Context(), said{out: plugins.Output{Stdout: []byte(forced[:n]), End: end}})
			if err == nil {
				t.Fatalf("cut after %d bytes it passes: %s", n, x.Artefacts[0].Data)
			}
			if end == plugins.EndCut && !errors.Is(err, plugins.ErrSessionLost) {
				t.Fatalf("cut after %d bytes: %v", n, err)
			}
		}
	}
}

func TestOtherAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		out  string
		want error
	}{
		"nothing":        {"", plugins.ErrEmpty},
		"another device": {"Invalid command at '^' marker.\n", plugins.ErrWrongPlatform},
		"percent":        {"% Invalid input detected\n", plugins.ErrWrongPlatform},
		"no vtysh":       {"@version\n|X127\n@end\n", plugins.ErrWrongPlatform},
		"no rights":      {"@version\n|Exiting: failed to connect to any daemons.\n|X1\n@end\n", plugins.ErrNotPermitted},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New().Identify(t.Context(), said{out: plugins.Output{Stdout: []byte(tt.out), End: plugins.EndStatus}}); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := New().Export(t.Context(), said{err: plugins.ErrSessionLost}); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("got %v", err)
	}
}

// vtysh ends with the first command that fails: what came before it counts.
func TestOneVtysh(t *testing.T) {
	const (
		run     = "|r1# ! cfgvault 0\n|r1# show running-config\n|hostname r1\n|end\n"
		version = "|r1# ! cfgvault 1\n|r1# show version\n|FRRouting 8.4.4 (r1) on Linux(6.1).\n"
		daemons = "|r1# ! cfgvault 2\n|r1# show daemons\n| zebra staticd\n|r1# ! cfgvault 3\n"
		file    = "@etc/frr/daemons\n|bgpd=no\n|X0\n@unit\n|may look\n|may reload\n|serial 1\n|X0\n@end\n"
	)
	for name, tt := range map[string]struct {
		vtysh   string
		verdict plugins.Verdict
		want    error
	}{
		"whole":           {run + version + daemons + "|X0\n", plugins.Complete, nil},
		"no daemons":      {run + version + "|r1# ! cfgvault 2\n|r1# show daemons\n|% Unknown command: show daemons\n|X1\n", plugins.Partial, nil},
		"no version":      {run + "|r1# ! cfgvault 1\n|r1# show version\n|X1\n", "", plugins.ErrNotPermitted},
		"ends in the run": {"|r1# ! cfgvault 0\n|r1# show running-config\n|hostname r1\n|X139\n", "", plugins.ErrNotPermitted},
		"nobody answers":  {"|Exiting: failed to connect to any daemons.\n|X1\n", "", plugins.ErrNotPermitted},
		"no vtysh":        {"|sh: vtysh: not found\n|X127\n", "", plugins.ErrWrongPlatform},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := New().Export(t.Context(), said{out: plugins.Output{Stdout: []byte("@vtysh\n" + tt.vtysh + file), End: plugins.EndStatus}})
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err == nil && (x.Verdict != tt.verdict || string(x.Artefacts[0].Data) != "hostname r1\nend\n" || x.Facts.Serials[0] != "1") {
				t.Errorf("got %+v", x)
			}
		})
	}
}

func TestEnabled(t *testing.T) {
	got := enabled([]byte("# bgpd=yes\nbgpd=no\nospfd=yes\n ospf6d=yes # both\nripd=\"yes\"\nisisd=0\npimd=1\nvtysh_enable=yes\nbgpd_options=\"-A 127.0.0.1\"\nzebra=no\n"))
	if want := []string{"zebra", "staticd", "ospfd", "ospf6d", "ripd", "pimd"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := missing([]string{"ospfd", "bgpd"}, []string{"ospfd-1", "zebra"}); !slices.Equal(got, []string{"bgpd"}) {
		t.Errorf("missing: %v", got)
	}
}

func TestNeeded(t *testing.T) {
	got := needed([]byte("router bgp 65001\nrouter ospf\ninterface eth0\n ip ospf cost 1\n ip pim\nexit\nipv6 route ::/0 Null0\nbfd\n description router isis 1\nroute-map x permit 1\n match ipv6 address\n"))
	if want := []string{"bgpd", "ospfd", "pimd", "bfdd", "staticd"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTargetKeepsLineNumbers(t *testing.T) {
	config, offset, err := target([]plugins.Artefact{{Name: runningConfig, Data: []byte("Building configuration...\n\nCurrent configuration:\n!\nfrr version 9.1\nhostname r1\nend")}})
	if err != nil || offset != 3 || string(config) != "!\n!\nhostname r1\nend\n" {
		t.Errorf("%q %d %v", config, offset, err)
	}
	for _, want := range [][]plugins.Artefact{nil, {{Name: runningConfig}}, {{Name: frrConf, Data: []byte("x")}}} {
		if _, _, err := target(want); !errors.Is(err, plugins.ErrRejected) {
			t.Errorf("%v: %v", want, err)
		}
	}
}

// No secret of a configuration is left when text is shown.
func TestSecretsAreHidden(t *testing.T) {
	tx, err := plugins.NewText(New().Info())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		" neighbor 192.0.2.1 password CANARY", "+ neighbor PEERS password CANARY", "password CANARY", "enable password 8 CANARY", "-enable password CANARY",
		" ip ospf message-digest-key 1 md5 CANARY", " ip ospf authentication-key CANARY 192.0.2.1", " area 1 virtual-link 192.0.2.1 message-digest-key 1 md5 CANARY",
		"  key-string CANARY", " isis password md5 CANARY", " area-password clear CANARY authenticate snp send-only", " domain-password md5 CANARY", " ip rip authentication string CANARY",
		" ipv6 ospf6 authentication key-id 1 hash-algo hmac-sha-256 key CANARY", " ip nhrp authentication CANARY", "   pce-config tcp-md5-auth CANARY", " neighbor 192.0.2.9 password CAN ARY CANARY",
	} {
		if got := tx.Redact("", line); strings.Contains(got, "CANARY") || strings.Contains(got, "ARY") {
			t.Errorf("shown: %s", got)
		}
	}
}

func FuzzUnmark(f *testing.F) {
	f.Add([]byte(forced))
	names := []string{runningConfig, "daemons", showVersion}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !bytes.Contains(text, []byte(mark(0)+"\n")) {
			return
		}
		p, err := unmark(text, names)
		if err != nil {
			return
		}
		for _, name := range names { // every piece is there, and is part of the text
			got, ok := p[name]
			if !ok || !bytes.Contains(text, got.Data) {
				t.Errorf("%s is not in the text", name)
			}
		}
	})
}
