package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/schemas"
)

const interfaces = 20000

// referenceModule has interfaces, and references to them.
const referenceModule = `module b {
  yang-version 1.1; namespace "urn:b"; prefix b;
  container ifs { list if { key name; leaf name { type string; } leaf enabled { type boolean; default true; } } }
  container refs { list ref { key id; leaf id { type uint32; } leaf if { type leafref { path "/b:ifs/b:if/b:name"; } } } }
}
`

func referenceData() string {
	var ifs, refs []string
	for i := range interfaces {
		ifs = append(ifs, fmt.Sprintf(`{"name":"eth%d","enabled":true}`, i))
		refs = append(refs, fmt.Sprintf(`{"id":%d,"if":"eth%d"}`, i, i*7919%interfaces))
	}
	return `{"b:ifs":{"if":[` + strings.Join(ifs, ",") + `]},"b:refs":{"ref":[` + strings.Join(refs, ",") + `]}}`
}

// schemas: our modules, and a large tree against yanglint, process against
// process.
func (b *bench) schemas(ctx context.Context) error {
	took, err := settled(func() error {
		_, err := schemas.Load(schemas.Options{Search: []schemas.Source{schemas.Embedded()}}, schemas.EmbeddedNames()...)
		return err
	})
	if err != nil {
		return err
	}
	b.note("YANG: own modules loaded", took, "20 ms")

	module, data := filepath.Join(b.dir, "b.yang"), filepath.Join(b.dir, "b.json")
	if err := os.WriteFile(module, []byte(referenceModule), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(data, []byte(referenceData()), 0o600); err != nil {
		return err
	}
	var ours, lint []time.Duration
	for range 5 {
		o, err := timed(exec.CommandContext(ctx, b.binary, "schema", "validate", "--module", module, data).Run)
		if err != nil {
			return fmt.Errorf("cfgvault schema validate: %w", err)
		}
		l, err := timed(exec.CommandContext(ctx, "yanglint", "-t", "config", module, data).Run)
		if err != nil {
			return fmt.Errorf("yanglint: %w", err)
		}
		ours, lint = append(ours, o), append(lint, l)
	}
	b.row("YANG: 20,000 interfaces with references / yanglint", ours, lint, "1.0x")
	return nil
}
