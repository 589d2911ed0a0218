package plugintest_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
	"github.com/cfgvault/cfgvault/plugins/serve"
)

// TestMain lets the test binary stand for the agent's: started as "plugin
// serve NAME" it is a driver in a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "plugin" && os.Args[2] == "serve" {
		switch os.Args[3] {
		case "toy":
			serve.Serve(toy{})
		case "believer":
			serve.Serve(toy{info: renamed("believer"), export: simple(func(o plugins.Output, err error) bool { return err == nil })})
		case "talker":
			serve.Serve(toy{info: renamed("talker"), export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
				e, err := toyExport(ctx, s)
				if err == nil {
					_, _ = os.Stderr.Write(e.Artefacts[0].Data)
				}
				return e, err
			}})
		case "crasher":
			serve.Serve(toy{info: renamed("crasher"), export: func(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
				e, err := toyExport(ctx, s)
				if err == nil && e.Verdict != plugins.Complete {
					panic("out of range")
				}
				return e, err
			}})
		}
		os.Exit(9)
	}
	os.Exit(m.Run())
}

func renamed(name string) func(*plugins.Info) { return func(i *plugins.Info) { i.Name = name } }

// logBuffer keeps what the host logs.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// remote runs the kit against a driver in another process.
func remote(t *testing.T, name string) error {
	t.Helper()
	logs := &logBuffer{}
	h, err := host.New(host.Options{
		Builtin: []string{name}, TempDir: t.TempDir(),
		Log: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	d, err := h.Shared(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	o := quick()
	o.Grace, o.Remote, o.Logs = 0, true, logs.String
	o.Crashed = func(err error) bool { return errors.Is(err, host.ErrPlugin) }
	return plugintest.Run(t.Context(), d, fixtures(toyFixture), o)
}

// The same call runs against a driver in a process of its own.
func TestDriverInAnotherProcess(t *testing.T) {
	if err := remote(t, "toy"); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"believer": "Complete, but artefact running-config",
		"talker":   "the log shows a secret",
		"crasher":  "the driver's process fails in Export",
	} {
		t.Run(name, func(t *testing.T) {
			err := remote(t, name)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), toyCanary) {
				t.Errorf("want %s, got\n%v", want, err)
			}
		})
	}
}
