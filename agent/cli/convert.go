package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/plugins"
)

func (a *app) convert() *cobra.Command {
	var to, mapFile, out string
	var reveal, accept bool
	cmd := command{
		use:   "convert REF --to DRIVER",
		short: "Write a snapshot for another platform",
		long: `Reads a snapshot's configuration into the common tree and writes it for the
platform of another driver. Native lines and leaves of the tree that do not come
through are listed on stderr with the reason. Interfaces have other names
elsewhere: a map says which, a line 'OLD: NEW' for each; names are not guessed.

What is printed has its secrets hidden unless --reveal. --out writes files, as
the device takes them. Nothing is sent to a device: 'cfgvault restore --to' does.`,
		example: `cfgvault convert core1 --to eos --map core1-to-eos.yaml --out core1-eos
cfgvault convert core1@2026-11-20 --to frr --map map.yaml --reveal > frr.conf`,
		status: []Status{Partly, NoVault, NotFound, NoIdentity, Plugin, Integrity, Refused},
		args:   cobra.ExactArgs(1),
		run: func(ctx context.Context, args []string) error {
			if to == "" {
				return usageError{errors.New("--to names the driver to write for; `cfgvault plugin list` shows them")}
			}
			m, err := readMap(mapFile)
			if err != nil {
				return err
			}
			ag, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ag.Close()
			x, err := ag.Index(ctx)
			if err != nil {
				return err
			}
			e, err := ag.Resolve(x, args[0])
			if err != nil {
				return err
			}
			o, err := ag.Fetch(ctx, e)
			if err != nil {
				return err
			}
			c, err := ag.Convert(ctx, o, to, m)
			if err != nil {
				return err
			}
			if out != "" {
				if err := writeArtefacts(out, c.Artefacts); err != nil {
					return err
				}
			}
			if err := a.printConversion(c, out, reveal); err != nil {
				return err
			}
			if len(c.Losses) > 0 && !accept {
				return statusError{Partly, fmt.Errorf("%d parts of snapshot %s do not come through to %s; --accept-loss takes that for done", len(c.Losses), short(c.Snapshot), c.To)}
			}
			return nil
		},
	}.cobra()
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "driver of the platform to write for")
	f.StringVar(&mapFile, "map", "", "YAML file that renames interfaces, a line 'OLD: NEW' for each")
	f.StringVar(&out, "out", "", "folder for the artefacts, secrets in them; it must be new or empty")
	f.BoolVar(&reveal, "reveal", false, "show secrets")
	f.BoolVar(&accept, "accept-loss", false, "end with status 0 although parts do not come through")
	return a.jsonFlag(cmd)
}

// writeArtefacts writes each artefact below a folder that holds nothing yet.
func writeArtefacts(dir string, list []plugins.Artefact) error {
	if names, err := os.ReadDir(dir); err == nil && len(names) > 0 {
		return usageError{fmt.Errorf("--out %s: the folder is not empty", dir)}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return usageError{fmt.Errorf("--out: %w", err)}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, art := range list {
		name := filepath.FromSlash(art.Name)
		if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		if err := root.WriteFile(name, art.Data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printConversion(c *agent.Conversion, out string, reveal bool) error {
	text := func(art plugins.Artefact) string {
		if reveal {
			return string(art.Data)
		}
		return c.Hidden(art)
	}
	if a.json {
		type artefact struct {
			plugins.Artefact
			Text string `json:"text,omitempty"`
		}
		doc := struct {
			*agent.Conversion
			Artefacts []artefact `json:"artefacts"`
			Out       string     `json:"out,omitempty"`
		}{Conversion: c, Artefacts: []artefact{}, Out: out}
		for _, art := range c.Artefacts {
			one := artefact{Artefact: art}
			if out == "" {
				one.Text = text(art)
			}
			doc.Artefacts = append(doc.Artefacts, one)
		}
		data, err := json.MarshalIndent(doc, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintln(a.out, string(data))
		return nil
	}
	for _, art := range c.Artefacts {
		switch {
		case out != "":
			fmt.Fprintln(a.out, clean(filepath.Join(out, art.Name)))
			continue
		case len(c.Artefacts) > 1:
			a.note("artefact %s:", clean(art.Name))
		}
		if reveal {
			if _, err := a.out.Write(art.Data); err != nil {
				return err
			}
			continue
		}
		fmt.Fprint(a.out, clean(text(art)))
	}
	for _, l := range c.Losses {
		a.note("not carried over: %s", lossText(l))
	}
	return nil
}

// lossText is where a loss is, why, and what it is.
func lossText(l plugins.Loss) string {
	where := l.Path
	if l.Artefact != "" {
		where = l.Artefact
		if l.Line > 0 {
			where = fmt.Sprintf("%s:%d", l.Artefact, l.Line)
		}
	}
	return clean(fmt.Sprintf("%s: %s: %s", where, l.Code, l.Text))
}
