package corpus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/builtin"
	"github.com/cfgvault/cfgvault/schemas"
)

// Trial is what a driver made of files of which nothing else is known.
type Trial struct {
	Score
	Broken   []string // file and law: no tree, a tree that is not valid, or one that writing changes
	Unparsed []string // file, line and text of what was not understood
}

// Try normalises the files in folder/DRIVER/* and tests the laws of the lenses
// on each. A file of OpenWrt ends in the name of its package,
// "home.network".
func Try(ctx context.Context, folder string) ([]Trial, error) {
	found, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	if err != nil {
		return nil, err
	}
	trials := map[string]*Trial{}
	for _, path := range found {
		name := filepath.Base(filepath.Dir(path))
		drv, ok := builtin.Driver(name)
		if !ok {
			return nil, fmt.Errorf("%s: no driver %s", path, name)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if trials[name] == nil {
			trials[name] = &Trial{Score: Score{Driver: name, Lines: map[plugins.Class]int{}}}
		}
		a := plugins.Artefact{Name: running(drv), Role: plugins.RoleRunning, Data: text}
		if name == "openwrt" {
			a.Name, a.Role = "etc/config/"+path[strings.LastIndexAny(path, "./")+1:], plugins.RoleFile
		}
		trials[name].add(ctx, drv, filepath.Base(path), a)
	}
	if len(trials) == 0 {
		return nil, fmt.Errorf("%s: no file in a folder named after a driver", folder)
	}
	var out []Trial
	for _, name := range slices.Sorted(maps.Keys(trials)) {
		out = append(out, *trials[name])
	}
	return out, nil
}

func (t *Trial) add(ctx context.Context, drv plugins.Driver, file string, a plugins.Artefact) {
	t.Devices++
	broken := func(format string, args ...any) {
		t.Broken = append(t.Broken, file+": "+fmt.Sprintf(format, args...))
	}
	defer func() {
		if r := recover(); r != nil {
			broken("crash: %v", r)
		}
	}()
	n, err := drv.Normalize(ctx, plugins.Facts{}, []plugins.Artefact{a})
	if err != nil {
		broken("%v", err)
		return
	}
	t.count([]plugins.Artefact{a}, n)
	text := strings.Split(string(a.Data), "\n")
	for _, l := range n.Residual {
		if l.Class == plugins.Unparsed {
			t.Unparsed = append(t.Unparsed, fmt.Sprintf("%s:%d: [%s] %s", file, l.Number, l.Section, strings.TrimSpace(text[l.Number-1])))
		}
	}
	tree, err := canonical(n.Tree)
	if err != nil {
		broken("the tree is not valid: %v", err)
	}
	r, ok := drv.(plugins.Renderer)
	if !ok {
		return
	}
	written, losses, err := r.Render(ctx, n.Tree, plugins.Facts{})
	if err != nil {
		broken("render: %v", err)
		return
	}
	for _, l := range losses {
		broken("what was read cannot be written: %s", l.Path)
	}
	back, err := drv.Normalize(ctx, plugins.Facts{}, written)
	if err != nil {
		broken("what was written cannot be read: %v", err)
		return
	}
	if again, err := canonical(back.Tree); err != nil {
		broken("what was written is not valid: %v", err)
	} else if !bytes.Equal(again, tree) && len(losses) == 0 {
		broken("the tree changed: %s", difference(tree, again))
	}
	for _, l := range back.Residual {
		if l.Class == plugins.Unparsed {
			broken("what was written is not understood: line %d of %s", l.Number, l.Artefact)
			break
		}
	}
}

// canonical is the one form of a tree, and whether it is valid.
func canonical(tree []byte) ([]byte, error) {
	set, err := schemas.Common()
	if err != nil {
		return nil, err
	}
	t, err := set.ParseJSON(tree)
	if err != nil {
		return nil, err
	}
	return t.Canonical(), set.Validate(t)
}

// difference names a place where two trees differ.
func difference(a, b []byte) string {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return "no JSON"
	}
	left, right := places(x), places(y)
	for _, p := range slices.Sorted(maps.Keys(left)) {
		if _, ok := right[p]; !ok {
			return p + " is gone"
		}
	}
	for _, p := range slices.Sorted(maps.Keys(right)) {
		if _, ok := left[p]; !ok {
			return p + " was not there"
		}
	}
	return "only the order"
}

// places lists the leaves of JSON with their values; entries of lists by what
// they say.
func places(v any) map[string]bool {
	out := map[string]bool{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			out[at] = true
			for k, e := range v {
				walk(at+"/"+k, e)
			}
		case []any:
			for _, e := range v {
				key := ""
				if m, ok := e.(map[string]any); ok {
					for _, k := range []string{"name", "id", "ip", "prefix", "address", "host", "seq", "gateway", "interface"} {
						if m[k] != nil {
							key += fmt.Sprintf("[%s=%v]", k, m[k])
						}
					}
				}
				walk(at+key, e)
			}
		default:
			out[fmt.Sprintf("%s = %v", at, v)] = true
		}
	}
	walk("", v)
	return out
}
