package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/cfgvault/cfgvault/schemas"
)

const interfaces = 20000

// schemas: our modules, those of others, large trees against yanglint, process
// against process.
func (b *bench) schemas(context.Context) error {
	for _, part := range []func() error{b.own, b.yuma, b.references, b.convert} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// own measures our modules ready in this process, and the whole process around
// that beside one that does nothing.
func (b *bench) own() error {
	o := schemas.Options{Search: []schemas.Source{schemas.Embedded()}}
	load := func() error {
		_, err := schemas.Load(o, schemas.EmbeddedNames()...)
		return err
	}
	took, err := settled(load)
	if err != nil {
		return err
	}
	b.note("YANG: own modules ready, cold", took, "20 ms")
	o.Cache = filepath.Join(b.dir, "sets")
	if took, err = settled(load); err != nil {
		return err
	}
	b.note("YANG: own modules ready, from the cache", took, "3 ms")
	for _, row := range []struct{ how, flag string }{{"cold", "--no-cache=true"}, {"from the cache", "--no-cache=false"}} {
		r, err := b.pairs(9, []string{b.binary, "schema", "list", row.flag}, []string{b.binary, "version"})
		if err != nil {
			return err
		}
		b.row("YANG: schema list, "+row.how+" / version", r.ours, r.peer, "")
	}
	return nil
}

// runs are the times of two programs, measured in turn.
type runs struct {
	ours, peer []time.Duration
	rss        int64 // the most memory that ours had, bytes
}

// pairs runs two commands in turn. Both must end with 0.
func (b *bench) pairs(n int, ours, peer []string) (r runs, err error) {
	one := func(args []string) (time.Duration, *exec.Cmd, error) {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+b.dir)
		took, err := timed(cmd.Run)
		if err != nil {
			return 0, nil, fmt.Errorf("%s: %w", strings.Join(args, " "), err)
		}
		return took, cmd, nil
	}
	for range n {
		o, cmd, err := one(ours)
		if err != nil {
			return r, err
		}
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			r.rss = max(r.rss, usage.Maxrss<<10)
		}
		p, _, err := one(peer)
		if err != nil {
			return r, err
		}
		r.ours, r.peer = append(r.ours, o), append(r.peer, p)
	}
	return r, nil
}

// yuma compiles every module that Debian's libyuma-base has, in one set, the
// newer one of those it has twice. yuma123-netconf is left out: it has
// ietf-netconf's namespace.
func (b *bench) yuma() error {
	const root = "/usr/share/yuma/"
	submodule := regexp.MustCompile(`(?m)^\s*submodule\s`)
	check := []string{b.binary, "schema", "check", "--no-cache"}
	seen := map[string]bool{"yuma123-netconf": true}
	n := 0
	for _, dir := range []string{"nmda-modules/ietf", "modules/ietf", "modules/ietf-derived", "modules/netconfcentral", "modules/yuma123", "modules/ietf-draft"} {
		check = append(check, "--module-dir", root+dir)
		files, err := filepath.Glob(root + dir + "/*.yang")
		if err != nil || len(files) == 0 {
			return fmt.Errorf("%s holds no modules: apt-get install libyuma-base", root+dir)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(f), ".yang"), "@")
			if !seen[name] && !submodule.Match(text) {
				check = append(check, f)
				n++
			}
			seen[name] = true
		}
	}
	r, err := b.pairs(3, check, []string{b.binary, "version"})
	if err != nil {
		return err
	}
	b.note(fmt.Sprintf("YANG: %d modules of libyuma-base compiled, whole process", n), median(r.ours), "500 ms")
	return nil
}

// referenceModule has interfaces, and references to them by a leafref and a
// must that finds the interface by its key: in the list of references, or in
// the leaf.
func referenceModule(list, leaf string) string {
	return `module b {
  yang-version 1.1; namespace "urn:b"; prefix b;
  container ifs { list if { key name; leaf name { type string; } leaf enabled { type boolean; default true; } } }
  container refs { list ref { key id; ` + list + ` leaf id { type uint32; } leaf if { type leafref { path "/b:ifs/b:if/b:name"; } ` + leaf + ` } } }
}
`
}

func referenceData(n int) string {
	var ifs, refs []string
	for i := range n {
		ifs = append(ifs, fmt.Sprintf(`{"name":"eth%d","enabled":true}`, i))
		refs = append(refs, fmt.Sprintf(`{"id":%d,"if":"eth%d"}`, i, i*7919%n))
	}
	return `{"b:ifs":{"if":[` + strings.Join(ifs, ",") + `]},"b:refs":{"ref":[` + strings.Join(refs, ",") + `]}}`
}

// references validates interfaces and references to them, with the predicate
// that libyang answers by a hash and with the one for which it searches.
func (b *bench) references() error {
	hashed, searched := filepath.Join(b.dir, "b.yang"), filepath.Join(b.dir, "up", "b.yang")
	if err := os.Mkdir(filepath.Dir(searched), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(hashed, []byte(referenceModule(`must "/b:ifs/b:if[b:name = current()/b:if]/b:enabled = 'true'";`, "")), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(searched, []byte(referenceModule("", `must "/b:ifs/b:if[b:name = current()/../b:if]/b:enabled = 'true'";`)), 0o600); err != nil {
		return err
	}
	measure := func(times, n int, module string) (runs, error) {
		data := filepath.Join(b.dir, fmt.Sprintf("b%d.json", n))
		if err := os.WriteFile(data, []byte(referenceData(n)), 0o600); err != nil {
			return runs{}, err
		}
		return b.pairs(times, []string{b.binary, "schema", "validate", "--type", "config", "--module", module, data}, []string{"yanglint", "-t", "config", module, data})
	}
	for i, n := range []int{interfaces, 2 * interfaces, 4 * interfaces} {
		r, err := measure(5-i, n, hashed)
		if err != nil {
			return err
		}
		b.row(fmt.Sprintf("YANG: %d interfaces with references / yanglint", n), r.ours, r.peer, "1.0x")
		if n == interfaces {
			b.size("    memory", r.rss, "200 MiB")
		}
	}
	r, err := measure(3, 1000, searched)
	if err != nil {
		return err
	}
	b.row("YANG: 1,000 by [name = current()/../if] / yanglint", r.ours, r.peer, "0.02x")
	return nil
}

// convert turns 50 MiB of XML into JSON and back, and validates both.
func (b *bench) convert() error {
	const text = `module big {
  yang-version 1.1; namespace "urn:big"; prefix big;
  container ifs { list if { key name; leaf name { type string; } leaf enabled { type boolean; default true; } leaf mtu { type uint16; } leaf description { type string; } } }
}
`
	module, data := filepath.Join(b.dir, "big.yang"), filepath.Join(b.dir, "big.xml")
	if err := os.WriteFile(module, []byte(text), 0o600); err != nil {
		return err
	}
	xml := []byte(`<ifs xmlns="urn:big">`)
	for i := 0; len(xml) < 50<<20; i++ {
		xml = fmt.Appendf(xml, "<if><name>eth%d</name><enabled>true</enabled><mtu>%d</mtu><description>link %d to rack &amp; row</description></if>\n", i, 1500+i%100, i)
	}
	if err := os.WriteFile(data, append(xml, "</ifs>\n"...), 0o600); err != nil {
		return err
	}
	json := filepath.Join(b.dir, "big.json")
	out, err := os.Create(json)
	if err != nil {
		return err
	}
	cmd := exec.Command(b.binary, "schema", "convert", "--indent", "0", "--module", module, data)
	cmd.Stdout = out
	if err := errors.Join(cmd.Run(), out.Close()); err != nil {
		return err
	}
	for _, row := range []struct {
		work, file, budget, memory string
		ours, peer                 []string
	}{
		{"50 MiB of XML to JSON / yanglint -f json", data, "5 s", "100 MiB", []string{"convert"}, []string{"-f", "json"}},
		{"the same JSON to XML / yanglint -f xml", json, "5 s", "100 MiB", []string{"convert"}, []string{"-f", "xml"}},
		{"50 MiB of XML validated / yanglint", data, "1.0x", "", []string{"validate", "--type", "config"}, []string{"-t", "config"}},
		{"the same JSON validated / yanglint", json, "1.0x", "", []string{"validate", "--type", "config"}, []string{"-t", "config"}},
	} {
		ours := append([]string{b.binary, "schema"}, row.ours...)
		peer := append([]string{"yanglint"}, row.peer...)
		r, err := b.pairs(3, append(ours, "--module", module, row.file), append(peer, module, row.file))
		if err != nil {
			return err
		}
		b.row("YANG: "+row.work, r.ours, r.peer, row.budget)
		b.size("    memory", r.rss, row.memory)
	}
	return nil
}
