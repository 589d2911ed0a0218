package vyos

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// normalize reads the running configuration into the common tree, or the saved
// one where there is no running one, and accounts for the lines of all
// artefacts.
func normalize(_ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	main := savedConfig
	for _, a := range native {
		if a.Name == runningConfig {
			main = a.Name
		}
	}
	r := lens.NewReader()
	var as int64
	for _, a := range native {
		if a.Name == main {
			text := string(a.Data)
			as = localAS(text)
			with(as, func(l *lens.Lens) { r.Read(l, a.Name, text, nil) })
		}
	}
	for _, a := range native {
		switch {
		case a.Name == main:
		case a.Name == savedConfig:
			with(as, func(l *lens.Lens) { r.Verify(l, a.Name, string(a.Data)) })
		case a.Role == plugins.RoleState || a.Role == plugins.RoleFile:
			r.Opaque(a.Name, string(a.Data), plugins.Boilerplate, "evidence")
		default:
			r.Opaque(a.Name, string(a.Data), plugins.Unparsed, "")
		}
	}
	return r.Normalized(), nil
}

// render writes a configuration in braces from the common tree, in the words
// of VyOS 1.4. It has no footer: whoever loads it on a unit takes the unit's.
func render(tree []byte, _ plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	as, err := treeAS(tree)
	if err != nil {
		return nil, nil, fmt.Errorf("render for VyOS: %w", err)
	}
	var text string
	var losses []plugins.Loss
	with(as, func(l *lens.Lens) { text, losses, err = l.Write(tree) })
	if err != nil {
		return nil, nil, fmt.Errorf("render for VyOS: %w", err)
	}
	return []plugins.Artefact{{
		Name: runningConfig, Role: plugins.RoleRunning, Source: "rendered", Data: []byte(text),
	}}, losses, nil
}

// braces is the dialect of config.boot.
func braces() syntax.Braces { return syntax.Braces{Newline: true, Remarks: []string{"//"}} }

func parse(text string) *syntax.Doc {
	if syntax.IsCommands(text) {
		return syntax.ParseCommands(text)
	}
	return syntax.ParseBraces(text, braces())
}

var plainQuoted = regexp.MustCompile(`^'([\w.:/@+-]+)'$`)

func words(buf []syntax.Word, statement string) []syntax.Word {
	if syntax.IsCommands(statement) {
		from := len(buf)
		buf = syntax.CommandWords(buf, statement)
		for i := from; i < len(buf); i++ { // values are quoted there whether they need it or not
			if m := plainQuoted.FindStringSubmatch(buf[i].Text); m != nil {
				buf[i].Text = m[1]
				buf[i].At++ // behind the quote, which stays
			}
		}
		return buf
	}
	return braces().Words(buf, statement)
}

// statement is a node of a configuration with the words of the headings around
// it.
type statement struct {
	line int // index in the document
	path []syntax.Word
}

// statements lists the statements of a document. The words are good until the
// next one.
func statements(d *syntax.Doc) func(yield func(statement) bool) {
	return func(yield func(statement) bool) {
		var path []syntax.Word
		above := map[int][]syntax.Word{}
		for i := range d.Lines {
			l := &d.Lines[i]
			if l.Kind != syntax.Statement || d.Removed(i) {
				continue
			}
			path = words(append(path[:0], above[l.Parent]...), d.Logical(i))
			if l.Block && len(path) < 32 {
				above[i] = append([]syntax.Word(nil), path...)
			}
			if !yield(statement{i, path}) {
				return
			}
		}
	}
}

// parseWhole is parse for the table. A rule of a prefix list that lacks what it
// does, or with what, has no effect (VyOS refuses to commit it): it is taken for
// inactive.
func parseWhole(text string) *syntax.Doc {
	d := parse(text)
	type rule struct{ family, list, number string }
	seen := map[rule]int{}
	of := func(p []syntax.Word) (rule, bool) {
		if len(p) < 5 || p[0].Text != "policy" || p[1].Text != "prefix-list" && p[1].Text != "prefix-list6" || p[3].Text != "rule" {
			return rule{}, false
		}
		return rule{p[1].Text, syntax.Unquote(p[2].Text), syntax.Unquote(p[4].Text)}, true
	}
	for s := range statements(d) {
		r, ok := of(s.path)
		if !ok || len(s.path) != 7 {
			continue
		}
		good := false
		switch value := syntax.Unquote(s.path[6].Text); s.path[5].Text {
		case "action":
			if good = value == "permit" || value == "deny"; good {
				seen[r] |= 1
			}
		case "prefix":
			if _, good = lens.Builtin()[map[string]string{"prefix-list": "prefix4", "prefix-list6": "prefix6"}[r.family]].Read(value); good {
				seen[r] |= 2
			}
		}
	}
	for s := range statements(d) {
		if r, ok := of(s.path); ok && seen[r] != 3 {
			d.Lines[s.line].Inactive = true
		}
	}
	return d
}

// localAS looks for the AS number of the router before the text is read.
func localAS(text string) int64 {
	asn := lens.Builtin()["asn"]
	for s := range statements(parse(text)) {
		p := s.path
		at := -1
		switch {
		case len(p) >= 4 && p[0].Text == "protocols" && p[1].Text == "bgp" && (p[2].Text == "system-as" || p[2].Text == "local-as"):
			at = 3
		case len(p) >= 3 && p[0].Text == "protocols" && p[1].Text == "bgp": // before 1.4
			at = 2
		}
		if at > 0 {
			if v, ok := asn.Read(syntax.Unquote(p[at].Text)); ok {
				return v[0].(int64)
			}
		}
	}
	return 0
}

// tables are those for routers without an AS number, and with one.
var tables = [2]lens.Lent[int64]{
	{New: func(as *int64) lens.Table { return configTable(as, false) }},
	{New: func(as *int64) lens.Table { return configTable(as, true) }},
}

// with lends the table for a text of a router with this AS number, or 0.
func with(as int64, use func(*lens.Lens)) {
	if as > 0 {
		tables[1].With(as, use)
		return
	}
	tables[0].With(as, use)
}

// configTable is the configuration of VyOS 1.3 to 1.5, from the VyOS
// documentation and the definitions of its command line. It is written as 1.4
// has it.
func configTable(as *int64, bgp bool) lens.Table {
	var rows []lens.Row
	for _, part := range [][]lens.Row{interfaceRows(), firewallRows(), policyRows(), protocolRows(bgp), serviceRows(), systemRows(), vrfRows(bgp)} {
		rows = append(rows, part...)
	}
	return lens.Table{
		Nested: true, Indent: "    ",
		Parse: parseWhole, Words: words, Quote: syntax.Quote, Unquote: syntax.Unquote,
		Codecs: codecs(),
		Funcs: map[string]func(any) (any, bool){
			"local-as": func(any) (any, bool) { return *as, *as > 0 },
		},
		Rows: rows,
		Lines: []lens.Rule{
			{ID: "footer", Class: plugins.Boilerplate, Pattern: `^// (?:Warning: Do not remove|vyos-config-version: )|^/\* (?:Warning: Do not remove|=== vyatta-config-version: )`, Why: "names the version of each part of the configuration, by which it is migrated"},
			{ID: "release", Class: plugins.Volatile, Pattern: `^(?://|/\*) Release version: `, Why: "the release that wrote the file"},
			{ID: "remark", Class: plugins.Boilerplate, Pattern: `^(?:#|//|/\*)`, Why: "a remark for people (VyOS documentation, comment)"},
		},
		Ordered: []string{"cfgvault-system:system/dns/server", "cfgvault-system:system/dns/search"},
		Vocabulary: []string{"container", "firewall", "high-availability", "load-balancing", "nat", "nat66", "pki", "qos", "traffic-policy", "vpn",
			"zone-policy", "cluster", "track"},
	}
}

func boilerplate(text, rule, why string, below ...lens.Row) lens.Row {
	return lens.Row{Text: text, Class: plugins.Boilerplate, Rule: rule, Why: why, Rows: below}
}

func join(place string, facts ...string) string {
	out := make([]string, len(facts))
	for i, f := range facts {
		out[i] = place + "/" + f
	}
	return strings.Join(out, " ")
}
