package plugintest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
)

// quick makes the kit small enough to run for every row of a table.
func quick() plugintest.Options {
	return plugintest.Options{Grace: 300 * time.Millisecond, Cuts: 24, Huge: 200_000}
}

func TestGoodDriverPasses(t *testing.T) {
	var logged strings.Builder
	err := plugintest.Run(t.Context(), toy{}, fixtures(toyFixture), plugintest.Options{Logs: logged.String})
	if err != nil {
		t.Fatal(err)
	}
}

// after spoils what a right export returns.
func after(spoil func(*plugins.Export)) func(context.Context, plugins.Session) (*plugins.Export, error) {
	return func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
		e, err := toyExport(ctx, s)
		if err == nil {
			spoil(e)
		}
		return e, err
	}
}

func afterNormalize(spoil func(*plugins.Normalized)) func(context.Context, []plugins.Artefact) (*plugins.Normalized, error) {
	return func(_ context.Context, native []plugins.Artefact) (*plugins.Normalized, error) {
		n, err := toyNormalize(native)
		if err == nil {
			spoil(n)
		}
		return n, err
	}
}

// simple exports the running configuration alone and believes what ok believes.
func simple(ok func(plugins.Output, error) bool) func(context.Context, plugins.Session) (*plugins.Export, error) {
	return func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
		e, err := toyExport(ctx, s)
		if e == nil {
			// The rest of the export went wrong: take the answer again.
			e = &plugins.Export{}
		}
		out, runErr := s.Run(ctx, plugins.Command{Text: "show running-config"})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if ok(out, runErr) && err == nil {
			for i := range e.Artefacts {
				if e.Artefacts[i].Name == "running-config" {
					e.Artefacts[i].Data = out.Stdout
				}
			}
			e.Verdict, e.Reasons = plugins.Complete, nil
			return e, nil
		}
		return nil, plugins.ErrSessionLost
	}
}

// Drivers that each break one rule. The kit must say which.
func TestBadDriversAreCaught(t *testing.T) {
	var calls atomic.Int64
	tests := []struct {
		name   string
		driver toy
		law    plugintest.Law
		want   string // part of the text
	}{
		{"takes a cut output for whole", toy{export: simple(func(o plugins.Output, err error) bool { return err == nil })},
			plugintest.LawTruncated, "Complete, but artefact running-config"},
		{"takes a lost connection for whole", toy{export: simple(func(o plugins.Output, err error) bool { return len(o.Stdout) > 0 })},
			plugintest.LawTruncated, "cut, connection lost after"},
		{"believes a channel that closed", toy{export: simple(func(o plugins.Output, err error) bool { return err == nil && o.OK() })},
			plugintest.LawTruncated, "channel closed without a status"},
		{"looks for end anywhere", toy{export: simple(func(o plugins.Output, err error) bool { return err == nil && bytes.Contains(o.Stdout, []byte("en")) })},
			plugintest.LawTruncated, "after"},
		{"takes an error text for a configuration", toy{export: simple(func(o plugins.Output, err error) bool {
			return err == nil && (proved(o) && bytes.HasSuffix(o.Stdout, []byte("end\n")) || bytes.HasPrefix(o.Stdout, []byte("%")))
		})},
			plugintest.LawTruncated, "refused with the vendor's error text"},
		{"takes nothing for a configuration", toy{export: simple(func(o plugins.Output, err error) bool {
			return err == nil && proved(o) && (len(o.Stdout) == 0 || bytes.HasSuffix(o.Stdout, []byte("end\n")))
		})},
			plugintest.LawTruncated, "empty, ends as if whole"},
		{"leaves out what it could not read", toy{export: after(func(e *plugins.Export) { e.Verdict, e.Reasons = plugins.Complete, nil })},
			plugintest.LawTruncated, "Complete without artefact"},
		{"drops lines of a noisy output", toy{export: after(func(e *plugins.Export) {
			if a := &e.Artefacts[0]; len(a.Data) > 1000 {
				a.Data = append(a.Data[:900:900], "\nend\n"...)
			}
		})}, plugintest.LawTruncated, "very large"},
		{"claims a cut stream is whole", toy{export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
			e, err := toyExport(ctx, s)
			if err == nil && len(e.Artefacts) == 2 && len(e.Reasons) == 1 {
				e.Verdict, e.Reasons = plugins.Complete, nil
				e.Artefacts = append(e.Artefacts, plugins.Artefact{Name: "flash/licence", Role: plugins.RoleFile})
			}
			return e, err
		}}, plugintest.LawTruncated, `"stream exec cat licence" cut`},
		{"puts a secret in an error", toy{export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
			e, err := toyExport(ctx, s)
			if err == nil && e.Verdict != plugins.Complete {
				return nil, fmt.Errorf("bad output: %q", e.Artefacts[0].Data)
			}
			return e, err
		}}, plugintest.LawCanary, "the error of Export shows a secret"},
		{"puts a secret in a reason", toy{export: after(func(e *plugins.Export) {
			for i := range e.Reasons {
				e.Reasons[i].Text = string(e.Artefacts[0].Data)
			}
		})}, plugintest.LawCanary, "a reason shows a secret"},
		{"puts a secret in a residual", toy{normalize: afterNormalize(func(n *plugins.Normalized) {
			for i := range n.Residual {
				n.Residual[i].Section = "user admin password " + toyCanary
			}
		})}, plugintest.LawCanary, "the residual shows a secret"},
		{"does not hide a secret", toy{info: func(i *plugins.Info) { i.Secrets = nil }}, plugintest.LawCanary, "Info.Secrets do not hide"},
		{"panics", toy{export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
			e, err := toyExport(ctx, s)
			if err != nil {
				panic("index out of range: " + toyCanary)
			}
			return e, err
		}}, plugintest.LawPanic, "Export panics: index out of range: •••"},
		{"panics on damage", toy{normalize: func(_ context.Context, native []plugins.Artefact) (*plugins.Normalized, error) {
			if len(native) == 0 {
				panic("none")
			}
			return toyNormalize(native)
		}}, plugintest.LawPanic, "no artefacts"},
		{"ignores its context", toy{export: func(_ context.Context, s plugins.Session) (*plugins.Export, error) {
			return toyExport(context.Background(), s)
		}}, plugintest.LawDeadline, "Export does not return within 300ms after its context was done"},
		{"ignores the deadline of a stream", toy{export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
			e, err := toyExport(ctx, s)
			if err != nil {
				return e, err
			}
			c, err := s.Open(ctx, "exec", "cat licence")
			if err != nil {
				return nil, err
			}
			defer c.Close()
			_, err = io.ReadAll(c)
			if err != nil {
				return nil, err
			}
			return e, nil
		}}, plugintest.LawDeadline, `"stream exec cat licence, time 2" hangs`},
		{"leaves a goroutine behind", toy{export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
			if calls.Add(1) == 1 {
				go func() { <-t.Context().Done() }()
			}
			return toyExport(ctx, s)
		}}, plugintest.LawLeak, "still running"},
		{"leaves a stream open", toy{export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
			if _, err := s.Open(ctx, "exec", "cat licence"); err != nil {
				return nil, err
			}
			return toyExport(ctx, s)
		}}, plugintest.LawLeak, "1 streams are left open"},
		{"writes while it reads", toy{export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
			if _, err := s.Run(ctx, plugins.Command{Text: "write memory", Write: true}); err != nil {
				return nil, err
			}
			return toyExport(ctx, s)
		}}, plugintest.LawReadOnly, `"write memory"`},
		{"asks for something else each time", toy{export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
			if _, err := s.Run(ctx, plugins.Command{Text: fmt.Sprintf("show clock %d", calls.Add(1))}); err != nil {
				return nil, err
			}
			return toyExport(ctx, s)
		}}, plugintest.LawFired, "did not ask"},
		{"mixes sessions", toy{export: after(func(e *plugins.Export) {
			e.Artefacts[0].Attrs = map[string]string{"n": fmt.Sprint(calls.Add(1))}
		})}, plugintest.LawConcurrent, "4 exports at once"},
		{"Complete with a reason", toy{export: after(func(e *plugins.Export) { e.Verdict = plugins.Complete })},
			plugintest.LawExportForm, "Complete with reasons [no-end]"},
		{"Partial without a reason", toy{export: after(func(e *plugins.Export) { e.Reasons = nil })},
			plugintest.LawExportForm, "partial without a reason"},
		{"an absolute name", toy{export: after(func(e *plugins.Export) { e.Artefacts[0].Name = "/etc/passwd" })},
			plugintest.LawExportForm, "not relative and clean"},
		{"a name twice", toy{export: after(func(e *plugins.Export) { e.Artefacts = append(e.Artefacts, e.Artefacts[0]) })},
			plugintest.LawExportForm, "twice"},
		{"nothing and no error", toy{export: func(context.Context, plugins.Session) (*plugins.Export, error) { return nil, nil }},
			plugintest.LawExportForm, "returns nothing and no error"},
		{"changes bytes", toy{export: after(func(e *plugins.Export) { e.Artefacts[0].Data = bytes.ToUpper(e.Artefacts[0].Data) })},
			plugintest.LawExport, "they differ from line 1 on"},
		{"always fails", toy{export: func(context.Context, plugins.Session) (*plugins.Export, error) { return nil, plugins.ErrEmpty }},
			plugintest.LawExport, "fails: the device sent nothing"},
		{"the wrong facts", toy{identify: func(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
			f, err := toyIdentify(ctx, s)
			f.Model = "X"
			return f, err
		}}, plugintest.LawIdentify, "the fixture says"},
		{"half a serial", toy{identify: func(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
			out, err := s.Run(ctx, plugins.Command{Text: "show version"})
			_, serial, ok := strings.Cut(string(out.Stdout), "serial ")
			if err != nil || !ok {
				return plugins.Facts{}, plugins.ErrWrongPlatform
			}
			return plugins.Facts{Vendor: "Toys", OS: "Toy OS", OSVersion: "1.2", Serials: []string{strings.TrimSpace(serial)}}, nil
		}}, plugintest.LawIdentify, "which no unit here has"},
		{"promises facts and exports none", toy{info: func(i *plugins.Info) { i.Capabilities = []plugins.Capability{plugins.CapFacts} }},
			plugintest.LawIdentify, "the export has the facts <nil>"},
		{"exports another unit's facts", toy{info: func(i *plugins.Info) { i.Capabilities = []plugins.Capability{plugins.CapFacts} },
			export: after(func(e *plugins.Export) { e.Facts = &plugins.Facts{Serials: []string{"X"}} })},
			plugintest.LawIdentify, "the export has the facts"},
		{"exports facts unannounced", toy{export: after(func(e *plugins.Export) { e.Facts = &plugins.Facts{} })},
			plugintest.LawInfo, "is not listed"},
		{"exports any device", toy{info: func(i *plugins.Info) { i.Capabilities = []plugins.Capability{plugins.CapFacts} },
			export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
				f, err := toyIdentify(ctx, s)
				if err != nil {
					return &plugins.Export{Verdict: plugins.Unknown, Reasons: []plugins.Reason{{Code: "strange", Text: "strange"}}}, nil
				}
				e, err := toyExport(ctx, s)
				if e != nil {
					e.Facts = &f
				}
				return e, err
			}}, plugintest.LawForeign, "Export succeeds"},
		{"claims any device", toy{identify: func(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
			f, err := toyIdentify(ctx, s)
			if errors.Is(err, plugins.ErrWrongPlatform) {
				err = nil
			}
			return f, err
		}}, plugintest.LawForeign, "Identify succeeds"},
		{"another answer each time", toy{normalize: afterNormalize(func(n *plugins.Normalized) {
			n.Tree = fmt.Appendf(nil, `{"cfgvault-system:system":{"hostname":"h%d"}}`, calls.Add(1))
		})}, plugintest.LawDeterministic, "different answers"},
		{"an invalid tree", toy{normalize: afterNormalize(func(n *plugins.Normalized) { n.Tree = []byte(`{"x:y": 1}`) })},
			plugintest.LawValid, "x:y"},
		{"another tree", toy{normalize: afterNormalize(func(n *plugins.Normalized) { n.Tree = []byte(`{}`) })},
			plugintest.LawValid, "the tree is not the fixture's"},
		{"no JSON", toy{normalize: afterNormalize(func(n *plugins.Normalized) { n.Tree = []byte(`{`) })},
			plugintest.LawValid, "the tree is not JSON"},
		{"loses a line", toy{normalize: afterNormalize(func(n *plugins.Normalized) {
			if len(n.Residual) > 0 {
				n.Residual = n.Residual[1:]
			}
		})}, plugintest.LawAccount, "lines as unparsed, the residual 4"},
		{"loses a line and its count", toy{normalize: afterNormalize(func(n *plugins.Normalized) {
			if len(n.Residual) > 0 {
				n.Coverage[0].Lines[n.Residual[0].Class]--
				n.Residual = n.Residual[1:]
			}
		})}, plugintest.LawAccount, "are accounted for"},
		{"counts a line twice", toy{normalize: afterNormalize(func(n *plugins.Normalized) {
			if len(n.Residual) > 0 {
				n.Residual = append(n.Residual, n.Residual[0])
			}
		})}, plugintest.LawAccount, "twice"},
		{"a line beyond the end", toy{normalize: afterNormalize(func(n *plugins.Normalized) {
			if len(n.Residual) > 0 {
				n.Residual[0].Number = 1 << 20
			}
		})}, plugintest.LawAccount, "the residual names line 1048576"},
		{"boilerplate without a rule", toy{normalize: afterNormalize(func(n *plugins.Normalized) {
			for i := range n.Residual {
				n.Residual[i].Rule = ""
			}
		})}, plugintest.LawAccount, "without a rule"},
		{"changes what it is given", toy{normalize: func(_ context.Context, native []plugins.Artefact) (*plugins.Normalized, error) {
			n, err := toyNormalize(native)
			if len(native) > 0 && len(native[0].Data) > 0 {
				native[0].Data[0] ^= 1
			}
			return n, err
		}}, plugintest.LawPure, "changes the artefacts"},
		{"fails to normalise", toy{normalize: func(context.Context, []plugins.Artefact) (*plugins.Normalized, error) {
			return nil, errors.New("no")
		}}, plugintest.LawValid, "Normalize fails: no"},
		{"a rule that does not compile", toy{info: func(i *plugins.Info) { i.Volatile[0].Pattern = "(" }}, plugintest.LawInfo, "volatile rule time"},
		{"an anchored secret", toy{info: func(i *plugins.Info) { i.Secrets[0].Pattern = `^.*password (\S+)` }}, plugintest.LawInfo, "anchored"},
		{"a capability without methods", toy{info: func(i *plugins.Info) {
			i.Capabilities, i.Rollback = []plugins.Capability{plugins.CapRestore}, plugins.RollbackDevice
		}},
			plugintest.LawInfo, `lists "restore" and has no method`},
		{"an unknown capability", toy{info: func(i *plugins.Info) { i.Capabilities = []plugins.Capability{"fly"} }}, plugintest.LawInfo, "no such capability"},
		{"a bad version", toy{info: func(i *plugins.Info) { i.Version = "one" }}, plugintest.LawInfo, "semantic version"},
		{"a bad name", toy{info: func(i *plugins.Info) { i.Name = "Toy" }}, plugintest.LawInfo, "lower-case"},
		{"nothing required", toy{info: func(i *plugins.Info) { i.Artefacts[0].Required = false }}, plugintest.LawInfo, "no artefact is required"},
		{"a bad artefact name", toy{info: func(i *plugins.Info) { i.Artefacts[0].Name = "../x" }}, plugintest.LawInfo, "not relative and clean"},
		{"a rollback without restore", toy{info: func(i *plugins.Info) { i.Rollback = plugins.RollbackDevice }}, plugintest.LawInfo, "cannot restore"},
		{"another info each time", toy{info: func(i *plugins.Info) { i.Notes = []string{fmt.Sprint(calls.Add(1))} }}, plugintest.LawDeterministic, "Info is not the same"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls.Store(0)
			err := plugintest.Run(t.Context(), tt.driver, fixtures(toyFixture), quick())
			if err == nil {
				t.Fatal("the kit found nothing")
			}
			if strings.Contains(err.Error(), toyCanary) {
				t.Error("the kit's own report shows the secret")
			}
			for _, v := range violations(t, err) {
				if v.Law == tt.law && strings.Contains(v.Error(), tt.want) {
					return
				}
			}
			t.Errorf("want %q with %q, got\n%v", tt.law, tt.want, err)
		})
	}
}

func violations(t *testing.T, err error) []*plugintest.Violation {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("not joined: %v", err)
	}
	var out []*plugintest.Violation
	for _, e := range joined.Unwrap() {
		var v *plugintest.Violation
		if !errors.As(e, &v) {
			t.Fatalf("not a violation: %v", e)
		}
		out = append(out, v)
	}
	return out
}

// An answer that carries its own proof must not be believed without it.
func TestFramedAnswer(t *testing.T) {
	text := strings.Replace(toyFixture, "-- run show inventory --", "-- run[framed] show inventory --", 1)
	err := plugintest.Run(t.Context(), toy{}, fixtures(text), quick())
	if err == nil || !strings.Contains(err.Error(), `"show inventory" cut, ends as if whole after`) {
		t.Errorf("got %v", err)
	}
}

// A secret that reaches the log of a driver's process is seen.
func TestCanaryInTheLog(t *testing.T) {
	var logged bytes.Buffer
	d := toy{normalize: func(_ context.Context, native []plugins.Artefact) (*plugins.Normalized, error) {
		if len(native) > 0 && logged.Len() == 0 {
			logged.Write(native[0].Data)
		}
		return toyNormalize(native)
	}}
	o := quick()
	o.Logs = logged.String
	err := plugintest.Run(t.Context(), d, fixtures(toyFixture), o)
	if err == nil || !strings.Contains(err.Error(), "the log shows a secret") || strings.Contains(err.Error(), toyCanary) {
		t.Errorf("got %v", err)
	}
}

// An interrupted run ends, and says so.
func TestRunIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := plugintest.Run(ctx, toy{}, fixtures(toyFixture), quick()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestFixtureFaults(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no facts", "-- expect --\n", `"facts": missing`},
		{"unknown section", "-- facts --\n{}\n-- rum x --\n", "not known"},
		{"unknown key", "-- facts --\n{}\n-- expect --\nfoo: bar\n", `key "foo" is not known`},
		{"bad verdict", "-- facts --\n{}\n-- expect --\nverdict: good\n", "no such verdict"},
		{"artefact without bytes", "-- facts --\n{}\n-- expect --\nartefact: a running\n", "missing"},
		{"artefact of no command", "-- facts --\n{}\n-- expect --\nartefact: a running = show x\n", `no section "run show x"`},
		{"bytes of no artefact", "-- facts --\n{}\n-- artefact a --\n", "does not list it"},
		{"bad JSON", "-- facts --\n{\"x\": 1}\n", "unknown field"},
		{"unknown flag", "-- facts --\n{}\n-- run[foo] a --\n", `word "foo" is not known`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := plugintest.Parse("f.txtar", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "f.txtar") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := plugintest.Load(fstest.MapFS{}, "export-*.txtar"); err == nil {
		t.Error("no fixture is no error")
	}
	got, err := plugintest.Load(fstest.MapFS{"t/export-b.txtar": {Data: []byte(toyFixture)}, "t/export-a.txtar": {Data: []byte(toyFixture)}}, "t/export-*.txtar")
	if err != nil || len(got) != 2 || got[0].Name != "export-a.txtar" {
		t.Errorf("%v, %v", got, err)
	}
}

// What a fixture says is what a session answers.
func TestReplay(t *testing.T) {
	f := fixtures("-- facts --\n{}\n-- run[nonl] a --\none\n-- run a --\ntwo\n-- run[exit=3] b --\nB\n-- run[stderr] b --\nE\n-- run[base64] c --\nAP8=\n-- expect --\nunknown: ?\n")[0]
	s := f.Session("exec")
	want := []struct {
		cmd, stdout, stderr string
		exit                int
	}{{"a", "one", "", 0}, {"a", "two\n", "", 0}, {"a", "two\n", "", 0}, {"b", "B\n", "E\n", 3}, {"c", "\x00\xff", "", 0}, {"x", "?\n", "", 1}}
	for _, w := range want {
		out, err := s.Run(t.Context(), plugins.Command{Text: w.cmd})
		if err != nil || string(out.Stdout) != w.stdout || string(out.Stderr) != w.stderr || *out.Exit != w.exit || out.End != plugins.EndStatus {
			t.Errorf("%s: %+v, %v", w.cmd, out, err)
		}
	}
	if log := s.Log(); len(log) != 6 || log[1].Nth != 2 || !log[5].Unknown {
		t.Errorf("%+v", log)
	}
	out, err := f.Session("shell").Run(t.Context(), plugins.Command{Text: "b"})
	if err != nil || string(out.Stdout) != "B\nE\n" || out.Exit != nil || out.End != plugins.EndSentinel {
		t.Errorf("%+v, %v", out, err)
	}
	g := fixtures("-- facts --\n{}\n-- run[contains] show --\nA\n-- run show x --\nX\n")[0].Session("exec")
	for cmd, want := range map[string]string{"please show y": "A\n", "show x": "X\n"} {
		if out, err := g.Run(t.Context(), plugins.Command{Text: cmd}); err != nil || string(out.Stdout) != want {
			t.Errorf("%s: %+v, %v", cmd, out, err)
		}
	}
	if _, err := s.Open(t.Context(), "exec", "x"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}
