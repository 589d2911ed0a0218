package profile

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

// device answers commands; a second answer is what it says when asked again.
type device map[string][]plugins.Output

func (device) ID() string                 { return "x" }
func (device) Options() map[string]string { return nil }
func (d device) CLI(context.Context) (plugins.CLI, error) {
	return nil, errors.ErrUnsupported
}
func (d device) Open(context.Context, string, string) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}

func (d device) Run(_ context.Context, c plugins.Command) (plugins.Output, error) {
	if c.Write {
		return plugins.Output{}, errors.New("a profile wrote")
	}
	all := d[c.Text]
	if len(all) == 0 {
		return plugins.Output{Stdout: []byte("% Invalid input\n"), End: plugins.EndSentinel}, nil
	}
	if len(all) > 1 {
		d[c.Text] = all[1:]
	}
	if all[0].End == "lost" {
		return plugins.Output{End: plugins.EndCut}, plugins.ErrSessionLost
	}
	return all[0], nil
}

func says(text string) plugins.Output {
	return plugins.Output{Stdout: []byte(text), End: plugins.EndSentinel}
}

func cut(text string) plugins.Output {
	return plugins.Output{Stdout: []byte(text), End: plugins.EndCut}
}

const acme = `
name: acme
vendor: Acme
platform: Acme OS
tested: documentation
sources: [a manual]
transports: [ssh-shell]
shell: {prompt: '^x#$', sentinel: '!%s', error-line: '^% '}
identify:
  - {command: show version, is: Acme, serial: 'SN (\S+)', version: 'v(\S+)', mac: 'MAC (\S+)'}
artefacts:
  - {name: running, command: show run, role: running, required: true, terminator: '^end$', contains: ['(?m)^hostname ']}
  - {name: saved, command: show start, role: startup, twice: true}
  - {name: inventory, command: show inv}
volatile:
  - {id: time, pattern: '^! time', why: the clock}
secrets:
  - {id: password, pattern: 'password (\S+)'}
`

func parse(t *testing.T, text string) *Profile {
	t.Helper()
	p, err := Parse("acme.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestExport(t *testing.T) {
	const whole = "! time 1\nhostname x\n password secret1\nend\n! time 2\n"
	tests := map[string]struct {
		d    device
		want []string // codes; none: complete
		err  error
	}{
		"complete":            {d: device{"show run": {says(whole)}, "show start": {says("! time 1\na\n"), says("! time 2\na\n")}, "show inv": {says("card\n")}}},
		"optional missing":    {d: device{"show run": {says(whole)}}},
		"no end":              {d: device{"show run": {says("hostname x\n")}}, want: []string{"unfinished"}},
		"no host name":        {d: device{"show run": {says("a\nend\n")}}, want: []string{"unfinished"}},
		"cut":                 {d: device{"show run": {cut(whole)}}, want: []string{"cut"}},
		"changed meanwhile":   {d: device{"show run": {says(whole)}, "show start": {says("a\n"), says("b\n")}}, want: []string{"unstable"}},
		"cut the second time": {d: device{"show run": {says(whole)}, "show start": {says("a\n"), cut("a\n")}}, want: []string{"cut"}},
		"lost on the way":     {d: device{"show run": {says(whole)}, "show start": {{End: "lost"}}}, want: []string{"connection-lost"}},
		"not allowed":         {d: device{"show run": {says(whole)}, "show start": {says("% Permission denied\n")}}, want: []string{"refused"}},
		"refused":             {d: device{"show run": {says("% Not authorized\n")}}, err: plugins.ErrNotPermitted},
		"empty":               {d: device{"show run": {says("\n")}}, err: plugins.ErrEmpty},
		"lost at once":        {d: device{"show run": {{End: "lost"}}}, err: plugins.ErrSessionLost},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, err := parse(t, acme).Export(t.Context(), tt.d)
			if tt.err != nil {
				if !errors.Is(err, tt.err) {
					t.Errorf("%v, want %v", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, r := range e.Reasons {
				codes = append(codes, r.Code)
			}
			if !slices.Equal(codes, tt.want) || (e.Verdict == plugins.Complete) != (len(tt.want) == 0) {
				t.Errorf("%s %v, want %v", e.Verdict, codes, tt.want)
			}
			if len(e.NoRestore) != 1 || e.NoRestore[0].Code != "export-only" {
				t.Errorf("it is no archive: %v", e.NoRestore)
			}
		})
	}
}

// No beginning of a configuration counts as whole.
func TestCutEverywhere(t *testing.T) {
	const whole = "hostname x\ninterface 1\n description the end\n!\nend\n"
	for n := range strings.LastIndex(whole, "end") {
		e, err := parse(t, acme).Export(t.Context(), device{"show run": {says(whole[:n])}})
		if err == nil && e.Verdict == plugins.Complete {
			t.Errorf("%q is complete", whole[:n])
		}
	}
}

func TestIdentify(t *testing.T) {
	f, err := parse(t, acme).Identify(t.Context(), device{"show version": {says("Acme v1.2\nSN A1\nSN B2\nMAC 0011.22AA.BBCC\n")}})
	if err != nil || f.OSVersion != "1.2" || !slices.Equal(f.Serials, []string{"A1", "B2"}) || !slices.Equal(f.MACs, []string{"00:11:22:aa:bb:cc"}) {
		t.Errorf("%+v %v", f, err)
	}
	_, err = parse(t, acme).Identify(t.Context(), device{"show version": {says("JUNOS 22.4\n")}})
	if !errors.Is(err, plugins.ErrWrongPlatform) || !strings.Contains(err.Error(), "looks like Junos") {
		t.Errorf("wrong platform: %v", err)
	}
	if _, err = parse(t, acme).Identify(t.Context(), device{"show version": {cut("Ac")}}); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("cut: %v", err)
	}
}

// Every line that is not empty has one class.
func TestNormalize(t *testing.T) {
	data := "! time\nhostname x\n\ninterface 1\n password secret1\n"
	n, err := parse(t, acme).Normalize(t.Context(), plugins.Facts{}, []plugins.Artefact{{Name: "running", Data: []byte(data)}, {Name: "inventory", Data: []byte("\x00binary")}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range n.Residual {
		got = append(got, string(l.Class)+" "+l.Section)
	}
	want := []string{"volatile ! time", "unparsed hostname x", "unparsed interface 1", "secret-opaque interface 1"}
	if !slices.Equal(got, want) || string(n.Tree) != "{}" {
		t.Errorf("%q %s", got, n.Tree)
	}
}

// Each form of text knows its end.
func TestWhole(t *testing.T) {
	for _, tt := range []struct {
		check func([]byte) bool
		text  string
		want  bool
	}{
		{balanced, "a {\n b \"}\";\n # }\n}\n", true},
		{balanced, "a {\n b {\n}\n", false},
		{balanced, "}\n{", false},
		{balanced, "nothing", false},
		{blocks, "config x\n edit 1\n  set a \"end\nnext\"\n next\nend\n", true},
		{blocks, "config x\n edit 1\nend\n", false},
		{blocks, "config x\nend\nend\n", false},
		{blocks, "config x\n set a \"open\nend\n", false},
		{closedXML, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a><b/></a>\n", true},
		{closedXML, "<a><b></a>", false},
		{closedXML, "<a>", false},
		{closedXML, "", false},
	} {
		if got := tt.check([]byte(tt.text)); got != tt.want {
			t.Errorf("%q: %v", tt.text, got)
		}
	}
}

// A faulty profile is refused with file and line, for every fault at once.
func TestFaults(t *testing.T) {
	for change, want := range map[[2]string]string{
		{"'^x#$'", "'^x[#$'"}:                                "acme.yaml:8: bad expression",
		{"name: acme", "name: other"}:                        "acme.yaml:2: the name",
		{"vendor: Acme", "vendor: Acme\nvendor: B"}:          `acme.yaml:4: key "vendor" of a profile is there twice, first on line 3`,
		{"vendor: Acme\n", ""}:                               "no vendor",
		{"sources: [a manual]\n", ""}:                        "no sources",
		{"tested: documentation", "tested: well"}:            "acme.yaml:5: tested is",
		{"[ssh-shell]", "[rlogin]"}:                          `no such transport "rlogin"`,
		{"[ssh-shell]", "[console]"}:                         "a console needs the shell's exit",
		{"sentinel: '!%s', ", ""}:                            "needs the shell's sentinel",
		{"'!%s'", "'!'"}:                                     "the sentinel needs one %s",
		{"is: Acme, ", ""}:                                   `no "is"`,
		{"serial: 'SN (\\S+)'", "serial: 'SN'"}:              "needs one group",
		{"terminator: '^end$', ", ""}:                        "no terminator",
		{"twice: true", "whole: blocks"}:                     "no terminator",
		{"command: show inv", "command: write memory"}:       "not a command that only reads",
		{"command: show inv", "command: configure terminal"}: "not a command that only reads",
		{"command: show inv", "command: copy run start"}:     "not a command that only reads",
		{"name: inventory", "name: ../inventory"}:            "relative, clean path",
		{"name: inventory", "name: saved"}:                   "is there twice",
		{"'^! time'", "'.*'"}:                                "every line volatile",
		{"'password (\\S+)'", "'^password (\\S+)'"}:          "anchored",
		{"'password (\\S+)'", "'(x*)'"}:                      "hide every line",
		{"id: time", "id: The Time"}:                         "an id is lower-case words",
		{"{id: time,", "{id: time, artefact: none,"}:         "for artefact \"none\"",
		{"role: startup", "role: start"}:                     "role is running",
		{"name: acme", "name: &a acme"}:                      "not supported in a profile",
		{"vendor: Acme", "vendor: [Acme]"}:                   "a text is wanted",
		{"name: acme", "name: acme\n---\nname: b"}:           "a second document",
	} {
		text := strings.Replace(acme, change[0], change[1], 1)
		if text == acme {
			t.Fatalf("%q is not in the profile", change[0])
		}
		_, err := Parse("acme.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "acme.yaml") {
			t.Errorf("%q: %v", change[1], err)
		}
	}
	for _, text := range []string{"", "\t", "{", "- a\n- b", "a: b: c", strings.Repeat("a: {", 1000), strings.Repeat("x", maxFile+1), "\x00"} {
		if _, err := Parse("acme.yaml", []byte(text)); err == nil {
			t.Errorf("%.20q is a profile", text)
		}
	}
}

// No text makes the loader or a loaded profile panic.
func FuzzParse(f *testing.F) {
	f.Add(acme, "hostname x\nend\n")
	for _, name := range Names()[:3] {
		text, err := files.ReadFile("profiles/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "{ config\nend")
	}
	f.Fuzz(func(t *testing.T, profile, config string) {
		p, err := Parse("acme.yaml", []byte(profile))
		if err != nil {
			return
		}
		_ = p.Check()
		for i := range p.rules {
			p.incomplete(i, []byte(config))
		}
	})
}
