package schemas

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Structure returns the set whose only top-level node is that of a structure
// (RFC 8791: sx:structure) or of a yang-data template (RFC 8040 §8:
// rc:yang-data) of an implemented module, nil if the module has none of that
// name. Data of the structure is read, validated and written with that set as
// data of a datastore is with s. The set is the same one at each call.
func (s *Set) Structure(module, structure string) *Set { return s.structures[name{module, structure}] }

// Structures returns the names of the structures and yang-data templates of
// the set, "module:name", sorted.
func (s *Set) Structures() []string {
	out := make([]string, 0, len(s.structures))
	for n := range s.structures {
		out = append(out, n.module+":"+n.local)
	}
	slices.Sort(out)
	return out
}

const (
	structureRule = "RFC 8791 §4"
	yangDataRule  = "RFC 8040 §8"

	// dataStmts are the data definition statements.
	dataStmts = " anydata anyxml choice container leaf leaf-list list uses "
)

// structure is one that is being compiled: its root and where it is written.
type structure struct {
	key  name
	root *Node
	stmt *statement
}

// compileStructures compiles the structures of the implemented modules, each a
// tree of its own, which no path can leave.
func (c *compiler) compileStructures() {
	datastore := c.set.root
	defer func() { c.set.root = datastore }()
	var all []*structure
	for _, m := range c.want {
		for s := range m.extensions() {
			switch extensionOf(s) {
			case name{"ietf-yang-structure-ext", "structure"}:
				all = c.structure(all, datastore, s, m)
			case name{"ietf-restconf", "yang-data"}:
				all = c.yangData(all, s, m)
			}
		}
	}
	var pending []*augment
	for _, m := range c.want {
		for s := range m.extensions() {
			if extensionOf(s) == (name{"ietf-yang-structure-ext", "augment-structure"}) {
				pending = append(pending, &augment{stmt: s, module: m})
			}
		}
	}
	for n := len(pending) + 1; len(pending) < n && !c.stop(); {
		n = len(pending)
		pending = slices.DeleteFunc(pending, func(a *augment) bool { return c.augmentStructure(all, a.stmt, a.module) })
	}
	for _, a := range pending {
		c.faultf(a.stmt, structureRule, "the target %q does not exist", clip(a.stmt.arg))
	}
	sets := make(map[name]*Set, len(all))
	for _, x := range all {
		if c.stop() {
			return
		}
		c.set.root = x.root
		c.finish()
		if x.stmt.kw[strings.IndexByte(x.stmt.kw, ':')+1:] == "yang-data" {
			c.oneContainer(x)
		}
		if len(c.errs) > 0 {
			continue
		}
		set := *c.set
		sum := sha256.Sum256([]byte(c.set.hash + " " + x.key.module + ":" + x.key.local))
		set.hash, set.structures = hex.EncodeToString(sum[:]), nil
		sets[x.key] = &set
	}
	c.set.structures = sets
}

// extensions calls yield for each statement of an extension at the top of the
// module's files.
func (m *Module) extensions() func(yield func(*statement) bool) {
	return func(yield func(*statement) bool) {
		for _, src := range m.files {
			for _, s := range src.root.subs {
				if strings.Contains(s.kw, ":") && !yield(s) {
					return
				}
			}
		}
	}
}

// extensionOf returns the extension of which s is a statement; its module is
// empty if there is none.
func extensionOf(s *statement) name {
	prefix, local, _ := strings.Cut(s.kw, ":")
	m := s.src.prefixes[prefix]
	if m == nil || m.exts[local] == nil {
		return name{}
	}
	return name{m.Name, local}
}

// begin makes the root of a structure, after checking its name and what stands
// in it.
func (c *compiler) begin(all []*structure, s *statement, m *Module, rule, allowed string) *structure {
	x := &structure{key: name{m.Name, s.arg}, stmt: s}
	if slices.ContainsFunc(all, func(o *structure) bool { return o.key == x.key }) {
		c.faultf(s, rule, "%s %q is defined twice", s.kw, clip(s.arg))
		return nil
	}
	c.only(s, rule, allowed)
	x.root = &Node{kind: KindRoot, config: true, action: true, kids: make(map[name]*Node)}
	c.set.root = x.root
	c.checkDefinitions(s)
	return x
}

// only refuses substatements that are not in the list.
func (c *compiler) only(s *statement, rule, allowed string) {
	for _, d := range s.subs {
		if !strings.Contains(d.kw, ":") && !strings.Contains(allowed, " "+d.kw+" ") {
			c.faultf(d, rule, "%q cannot stand in %s", d.kw, s.kw)
		}
	}
}

func (c *compiler) structure(all []*structure, top *Node, s *statement, m *Module) []*structure {
	if !isIdentifier(s.arg) {
		c.faultf(s, structureRule, "structure %q is not an identifier", clip(s.arg))
		return all
	}
	if o := top.index[name{m.Name, s.arg}]; o != nil {
		c.faultf(s, structureRule, "structure %q has the name of a top-level %s (line %d)", s.arg, o.kind, o.stmt.line)
		return all
	}
	x := c.begin(all, s, m, structureRule, dataStmts+"must status description reference typedef grouping ")
	if x == nil {
		return all
	}
	n := &Node{kind: KindContainer, name: s.arg, module: m, parent: x.root, stmt: s, status: "current", presence: true, kids: make(map[name]*Node)}
	c.properties(n, s, scope{module: m})
	if c.attach(n, x.root) {
		c.children(s, n, scope{module: m, depth: 1})
	}
	return append(all, x)
}

func (c *compiler) yangData(all []*structure, s *statement, m *Module) []*structure {
	x := c.begin(all, s, m, yangDataRule, dataStmts+"description reference typedef grouping ")
	if x == nil {
		return all
	}
	c.children(s, x.root, scope{module: m})
	return append(all, x)
}

// oneContainer checks that a yang-data template has one top-level container,
// whichever cases are chosen.
func (c *compiler) oneContainer(x *structure) {
	var one func(n *Node) bool
	one = func(n *Node) bool {
		if len(n.children) != 1 && n.kind != KindChoice {
			return false
		}
		for _, k := range n.children {
			switch k.kind {
			case KindContainer:
				k.presence = true // there or not: the data says
			case KindChoice, KindCase:
				if !one(k) {
					return false
				}
			default:
				return false
			}
		}
		return len(n.children) > 0
	}
	if !one(x.root) {
		c.faultf(x.stmt, yangDataRule, "yang-data %q has other top-level nodes than one container", clip(x.stmt.arg))
	}
}

// augmentStructure adds to a structure; its argument is an absolute node id
// whose first step names the structure. It reports whether it is done with the
// statement; another augment may bring the target.
func (c *compiler) augmentStructure(all []*structure, s *statement, m *Module) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(s.arg, "/"), "/")
	owner, local, ok := c.resolve(s, first, m)
	if !ok || !strings.HasPrefix(s.arg, "/") {
		c.faultf(s, structureRule, "%q is not an absolute node id", clip(s.arg))
		return true
	}
	if !owner.Implemented {
		c.need(owner)
		return true
	}
	for _, x := range all {
		if x.key != (name{owner.Name, local}) {
			continue
		}
		c.set.root = x.root
		if t, missing := c.absolute(s, m); t != nil {
			c.only(s, structureRule, dataStmts+"case status description reference ")
			c.augmentNode(s, t, scope{module: m})
		} else if missing {
			return false
		}
		return true
	}
	return false
}
