package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
)

func (a *app) pluginTest() *cobra.Command {
	var dir string
	cmd := command{
		use: "test NAME", short: "Hold a driver to its contract",
		long: `Runs the conformance kit over a driver in a process of its own: every fixture
(recorded dialogues, export-*.txtar) once as it is and many times with faults: commands
that fail, hang or are cut, pagers, look-alike prompts, 10 MB of output. A
truncated export that comes out complete, or a secret that is shown, is a
violation.`,
		example: "cfgvault plugin test acme --fixtures testdata", status: []Status{Plugin}, args: cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			fixtures, err := plugintest.Load(os.DirFS(dir), "export-*.txtar")
			if err != nil {
				return fmt.Errorf("%w: fixtures in %s: %w", agent.ErrConfig, dir, err)
			}
			if len(fixtures) == 0 {
				return usageError{fmt.Errorf("no fixtures (export-*.txtar) in %s", dir)}
			}
			o, err := a.options()
			if err != nil {
				return err
			}
			var log lockedBuffer
			o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			ag, err := agent.OpenOffline(o)
			if err != nil {
				return err
			}
			defer ag.Close()
			drv, err := ag.Host().Own(ctx, args[0])
			if err != nil {
				return err
			}
			defer drv.Close()
			err = plugintest.Run(ctx, drv, fixtures, plugintest.Options{
				Remote: true, Logs: log.String,
				Crashed: func(err error) bool { return errors.Is(err, host.ErrPlugin) },
			})
			if err != nil {
				return statusError{Failed, err}
			}
			fmt.Fprintf(a.out, "%s: %d fixtures, no violation\n", args[0], len(fixtures))
			return nil
		},
	}.cobra()
	cmd.Flags().StringVar(&dir, "fixtures", "testdata", "folder with fixtures")
	return cmd
}

func (a *app) pluginRecord() *cobra.Command {
	var reveal bool
	var unknown string
	cmd := command{
		use: "record DEVICE", short: "Record a fixture from a device",
		long: `Runs a backup's dialogue on a device and prints it as a fixture for
"cfgvault plugin test". Secrets that the driver's rules know are replaced by fakes
of the same shape, the same secret by the same fake in every recording of this
home; look through the text for others before you hand it on. --reveal records
everything as it is.`,
		example: "cfgvault plugin record lab7 > testdata/export-lab7.txtar", status: []Status{NotFound, Unreachable, Plugin, Refused}, args: cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			ag, err := a.openOffline()
			if err != nil {
				return err
			}
			defer ag.Close()
			return ag.WithSession(ctx, args[0], func(drv *host.Driver, s plugins.Session) error {
				if !reveal {
					key, err := recordKey(ag.Home)
					if err != nil {
						return err
					}
					if s, err = plugintest.NewDisguise(s, drv.Info(), key); err != nil {
						return err
					}
				}
				text, err := plugintest.Record(ctx, drv, s, "recorded from a device", unknown)
				if err != nil {
					return err
				}
				_, err = a.out.Write(text)
				return err
			})
		},
	}.cobra()
	cmd.Flags().BoolVar(&reveal, "reveal", false, "record everything, secrets too")
	cmd.Flags().StringVar(&unknown, "unknown", "", "what the device prints for a command that it does not know; the kit refuses commands with it")
	return cmd
}

// recordKey is the key of the fakes, made once per home: whoever has a recording
// and not the key cannot try out what the secrets were.
func recordKey(home agent.Home) ([]byte, error) {
	path := filepath.Join(home.StateDir, "record.key")
	key, err := os.ReadFile(path)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(home.StateDir, 0o700); err != nil {
		return nil, err
	}
	return key, os.WriteFile(path, key, 0o600)
}

// lockedBuffer collects what a plugin logs while the kit runs.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
