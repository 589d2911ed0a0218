package lens

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// CheckWrite tests the laws of writing on one tree: what is written
// reads back as the tree without its losses, and every written line as mapped
// or boilerplate. A leaf that a function of the table derives from a name may
// be added where the tree is silent.
func (l *Lens) CheckWrite(tree []byte) error {
	root, err := parseTree(tree, l.keys)
	if err != nil {
		return err
	}
	l.canonicalLists(root)
	text := l.write(root)
	losses := root.lost(l, "", "", nil)
	back := NewReader()
	back.Read(l, "written", text, nil)
	for _, line := range back.residual {
		if line.Class != plugins.Boilerplate {
			return fmt.Errorf("written line %d reads back as %s: %q", line.Number, line.Class, lineAt(text, line.Number))
		}
	}
	l.expandLists(back.root)
	lost := map[string]bool{}
	for _, x := range losses {
		lost[x.path] = true
	}
	want := map[string]string{}
	flatten(l, root, "", lost, want)
	have := map[string]string{}
	flatten(l, back.root, "", nil, have)
	for path := range have {
		if _, ok := want[path]; !ok && l.soft[schemaOf(path)] {
			delete(have, path)
		}
	}
	if err := equal(want, have); err != nil {
		return fmt.Errorf("read(write(t)) differs from t without its losses: %w", err)
	}
	return l.sameOrder(root, back.root, "")
}

// CheckRead tests the law of reading on one native text: what was read can be
// written without loss and reads back equal.
func (l *Lens) CheckRead(text string) error {
	r := NewReader()
	r.Read(l, "native", text, nil)
	tree := r.root.appendJSON(nil)
	root, err := parseTree(tree, l.keys)
	if err != nil {
		return fmt.Errorf("what was read is no tree: %w", err)
	}
	l.write(root)
	if lost := root.lost(l, "", "", nil); len(lost) > 0 {
		return fmt.Errorf("%s was read but cannot be written", lost[0].shown)
	}
	return l.CheckWrite(tree)
}

func lineAt(text string, number int) string {
	lines := strings.Split(text, "\n")
	return lines[min(number, len(lines))-1]
}

// flatten lists every leaf, value of a leaf-list, entry and empty container
// by instance path, without what was lost.
func flatten(l *Lens, n *node, path string, lost map[string]bool, out map[string]string) {
	for i, k := range n.kids {
		at := path + "/" + k.name
		switch k.kind {
		case leaf:
			if n.kind == leafList {
				at = path + "[.='" + lexical(k.val) + "']"
			}
			if !lost[at] {
				out[at] = fmt.Sprintf("%T %v", k.val, k.val)
			}
			continue
		case entry:
			pred, _ := n.predicates(l, path, k, i)
			at = path + pred
			if lost[at] {
				continue
			}
			out[at] = "entry"
		case container:
			if len(k.kids) == 0 && !lost[at] {
				out[at] = "present"
			}
		}
		flatten(l, k, at, lost, out)
	}
}

func equal(want, have map[string]string) error {
	var diff []string
	for path, v := range want {
		if have[path] != v {
			diff = append(diff, fmt.Sprintf("%s: want %s, have %s", path, v, have[path]))
		}
	}
	for path := range have {
		if _, ok := want[path]; !ok {
			diff = append(diff, path+": was not there")
		}
	}
	if diff == nil {
		return nil
	}
	slices.Sort(diff)
	return fmt.Errorf("%d places, first %s", len(diff), diff[0])
}

// sameOrder checks that lists which a user orders kept their order.
func (l *Lens) sameOrder(want, have *node, schema string) error {
	for _, k := range have.kids {
		other := want.find(k.name)
		if other == nil {
			continue
		}
		at := schema
		if k.kind != entry {
			at += "/" + k.name
		}
		if (k.kind == list || k.kind == leafList) && slices.Contains(l.table.Ordered, strings.TrimPrefix(at, "/")) {
			var kept []string
			for _, e := range other.kids {
				if k.find(e.name) != nil {
					kept = append(kept, e.name)
				}
			}
			for i, e := range k.kids {
				if i < len(kept) && kept[i] != e.name {
					return fmt.Errorf("%s: the order of its entries changed", at)
				}
			}
		}
		if k.kind == leafList {
			continue
		}
		if err := l.sameOrder(other, k, at); err != nil {
			return err
		}
	}
	return nil
}
