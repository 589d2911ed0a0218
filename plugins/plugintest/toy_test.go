package plugintest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
)

// toy drives a made-up platform rightly. Each field spoils one method; the
// table of TestBadDriversAreCaught shows that the kit sees it.
type toy struct {
	info      func(*plugins.Info)
	identify  func(context.Context, plugins.Session) (plugins.Facts, error)
	export    func(context.Context, plugins.Session) (*plugins.Export, error)
	normalize func(context.Context, []plugins.Artefact) (*plugins.Normalized, error)
}

func (t toy) Info() plugins.Info {
	i := plugins.Info{
		Name: "toy", Version: "0.1.0", Vendor: "Toys", Platform: "Toy OS", Tested: plugins.TestedDeclared,
		Transports: []plugins.Transport{plugins.TransportExec, plugins.TransportShell},
		Shell:      plugins.Shell{Prompt: `(?m)^toy#$`, Pager: "--More--", Sentinel: "!%s", ErrorLine: `(?m)^% `},
		Artefacts: []plugins.ArtefactSpec{
			{Name: "running-config", Command: "show running-config", Role: plugins.RoleRunning, Required: true, Terminator: `^end$`},
			{Name: "inventory", Command: "show inventory", Role: plugins.RoleState, Bind: plugins.BindUnit},
		},
		Volatile: []plugins.LineRule{{ID: "time", Pattern: `^! Time: `, Why: "the clock of the device"}},
		Secrets:  []plugins.SecretRule{{ID: "password", Pattern: `password (\S+)`}},
	}
	if t.info != nil {
		t.info(&i)
	}
	return i
}

func (t toy) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	if t.identify != nil {
		return t.identify(ctx, s)
	}
	return toyIdentify(ctx, s)
}

var serialRE = regexp.MustCompile(`(?m)^Toy OS (\S+), serial (\S+)\n`)

func toyIdentify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	out, err := s.Run(ctx, plugins.Command{Text: "show version"})
	if err != nil {
		return plugins.Facts{}, fmt.Errorf("toy: identify: %w", err)
	}
	m := serialRE.FindSubmatch(out.Stdout)
	if !out.OK() || m == nil {
		return plugins.Facts{}, fmt.Errorf("toy: identify: %w", plugins.ErrWrongPlatform)
	}
	return plugins.Facts{Vendor: "Toys", OS: "Toy OS", OSVersion: string(m[1]), Serials: []string{string(m[2])}}, nil
}

func (t toy) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	if t.export != nil {
		return t.export(ctx, s)
	}
	return toyExport(ctx, s)
}

// proofs are what a careful export asks of an answer.
func toyExport(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	e := &plugins.Export{Verdict: plugins.Complete}
	partial := func(code string) {
		e.Verdict = plugins.Partial
		e.Reasons = append(e.Reasons, plugins.Reason{Code: code, Text: "a piece is missing"})
	}
	run, err := s.Run(ctx, plugins.Command{Text: "show running-config"})
	if err != nil {
		return nil, fmt.Errorf("toy: export: %w", err)
	}
	text := bytes.ReplaceAll(run.Stdout, []byte("\r\n"), []byte("\n"))
	if whole := bytes.HasSuffix(bytes.TrimRight(text, "\n"), []byte("\nend")); !proved(run) || !whole || bytes.ContainsRune(text, 0) {
		partial("no-end")
	}
	e.Artefacts = append(e.Artefacts, plugins.Artefact{Name: "running-config", Role: plugins.RoleRunning, Data: text})
	inv, err := s.Run(ctx, plugins.Command{Text: "show inventory"})
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("toy: export: %w", ctx.Err())
	case err != nil, inv.End == plugins.EndCut, inv.End == plugins.EndClosed:
		partial("inventory-cut")
	case !inv.OK(), bytes.HasPrefix(inv.Stdout, []byte("% ")):
		// A unit without an inventory.
	default:
		e.Artefacts = append(e.Artefacts, plugins.Artefact{Name: "inventory", Role: plugins.RoleState, Bind: plugins.BindUnit, Data: inv.Stdout})
	}
	c, err := s.Open(ctx, "exec", "cat licence")
	if err != nil {
		return nil, fmt.Errorf("toy: licence: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	defer c.Close()
	licence, err := io.ReadAll(c)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		partial("licence-cut")
		return e, nil
	}
	e.Artefacts = append(e.Artefacts, plugins.Artefact{Name: "flash/licence", Role: plugins.RoleFile, Data: licence})
	return e, nil
}

// proved: EndClosed carries no status, so it proves nothing.
func proved(o plugins.Output) bool { return o.OK() && o.End != plugins.EndClosed }

func (t toy) Normalize(ctx context.Context, _ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	if t.normalize != nil {
		return t.normalize(ctx, native)
	}
	return toyNormalize(native)
}

// toyNormalize maps the host name and knows passwords; the rest is residual.
func toyNormalize(native []plugins.Artefact) (*plugins.Normalized, error) {
	n := &plugins.Normalized{Tree: []byte(`{}`)}
	for _, a := range native {
		c := plugins.Coverage{Artefact: a.Name, Lines: map[plugins.Class]int{}}
		number := 0
		for line := range strings.Lines(string(a.Data)) {
			number++
			body := strings.TrimSpace(line)
			class, rule := plugins.Unparsed, ""
			switch {
			case body == "":
				continue
			case strings.HasPrefix(body, "hostname ") && len(body) < 60 && regexp.MustCompile(`^hostname [a-z0-9]+$`).MatchString(body):
				n.Tree = []byte(`{"cfgvault-system:system":{"hostname":"` + body[len("hostname "):] + `"}}`)
				class = plugins.Mapped
			case strings.Contains(body, "password "):
				class = plugins.SecretOpaque
			case body == "end":
				class, rule = plugins.Boilerplate, "frame"
			}
			c.Lines[class]++
			if class != plugins.Mapped {
				n.Residual = append(n.Residual, plugins.Line{Artefact: a.Name, Number: number, Class: class, Rule: rule})
			}
		}
		n.Coverage = append(n.Coverage, c)
	}
	return n, nil
}

const toyCanary = "s3cretCanary"

const toyFixture = `A made-up device.
-- expect --
unknown: % Unknown command
artefact: running-config running = show running-config
artefact: inventory state = show inventory
artefact: flash/licence file
canary: s3cretCanary
-- facts --
{"vendor": "Toys", "os": "Toy OS", "os-version": "1.2", "serials": ["T0001"]}
-- run show version --
Toy OS 1.2, serial T0001
-- run show running-config --
! Time: Mon
hostname t1
user admin password s3cretCanary
interface one
 speed 1000
interface two
 speed 10
end
-- run show inventory --
slot 1: card A
slot 2: card B
-- stream exec cat licence --
line one
line two
-- artefact flash/licence --
line one
line two
-- tree --
{"cfgvault-system:system": {"hostname": "t1"}}
-- residual --
5 unparsed running-config:
1 secret-opaque running-config:
2 unparsed inventory:
2 unparsed flash/licence:
`

func fixtures(texts ...string) []plugintest.Fixture {
	var out []plugintest.Fixture
	for i, text := range texts {
		f, err := plugintest.Parse(fmt.Sprintf("export-%d.txtar", i+1), []byte(text))
		if err != nil {
			panic(err)
		}
		out = append(out, f)
	}
	return slices.Clip(out)
}
