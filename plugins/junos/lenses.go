package junos

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// normalize reads the configuration into the common tree, whether it is in
// braces or in the set form, and accounts for the lines of all artefacts.
func normalize(_ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	r := lens.NewReader()
	for _, a := range native {
		switch {
		case a.Name == configuration:
			text := string(a.Data)
			r.Read(lens.Check(configTable(namesIn(text))), a.Name, text, nil)
		case a.Role == plugins.RoleState || a.Role == plugins.RoleFile:
			r.Opaque(a.Name, string(a.Data), plugins.Boilerplate, "evidence")
		default:
			r.Opaque(a.Name, string(a.Data), plugins.Unparsed, "")
		}
	}
	return r.Normalized(), nil
}

// render writes a configuration in braces from the common tree.
func render(tree []byte, _ plugins.Facts) ([]plugins.Artefact, []plugins.Loss, error) {
	shaped, n, err := shape(tree)
	if err != nil {
		return nil, nil, fmt.Errorf("render for Junos: %w", err)
	}
	text, losses, err := lens.Check(configTable(n)).Write(shaped)
	if err != nil {
		return nil, nil, fmt.Errorf("render for Junos: %w", err)
	}
	return []plugins.Artefact{{
		Name: configuration, Role: plugins.RoleRunning, Source: "rendered", Data: []byte(complete(text)),
	}}, losses, nil
}

// braces is the dialect of a configuration in its usual form.
func braces() syntax.Braces { return syntax.Braces{Remarks: []string{"#"}} }

func parse(text string) *syntax.Doc {
	if syntax.IsCommands(text) {
		return syntax.ParseCommands(text)
	}
	return syntax.ParseBraces(text, braces())
}

func words(buf []syntax.Word, statement string) []syntax.Word {
	if syntax.IsCommands(statement) {
		return syntax.CommandWords(buf, statement)
	}
	return braces().Words(buf, statement)
}

// names are what a configuration says of numbers that stand elsewhere by name:
// VLANs, and the AS number of the router.
type names struct {
	vlans map[string]int64
	as    int64
}

// namesIn looks for them before the text is read.
func namesIn(text string) names {
	n := names{vlans: map[string]int64{}}
	d := parse(text)
	var path []syntax.Word
	above := map[int][]syntax.Word{}
	for i := range d.Lines {
		l := &d.Lines[i]
		if l.Kind != syntax.Statement || l.Inactive {
			continue
		}
		path = words(append(path[:0], above[l.Parent]...), d.Logical(i))
		if l.Block && len(path) < 8 {
			above[i] = append([]syntax.Word(nil), path...)
			continue
		}
		switch {
		case len(path) == 4 && path[0].Text == "vlans" && path[2].Text == "vlan-id":
			if id, err := strconv.ParseInt(path[3].Text, 10, 64); err == nil && id > 0 && id < 4095 {
				n.vlans[syntax.Unquote(path[1].Text)] = id
			}
		case len(path) >= 3 && path[0].Text == "routing-options" && path[1].Text == "autonomous-system":
			if v, ok := lens.Builtin()["asn"].Read(path[2].Text); ok {
				n.as = v[0].(int64)
			}
		}
	}
	return n
}

// configTable is the configuration of Junos 12 to 25, from Juniper's CLI
// reference. What a factory-default unit shows is called boilerplate only where
// the reference or a factory configuration says so.
func configTable(n names) lens.Table {
	var rows []lens.Row
	for _, part := range [][]lens.Row{
		systemRows(), interfaceRows(), snmpRows(), forwardingRows(), policyRows(), instanceRows(n), routingRows(n), protocolRows(n), vlanRows(),
	} {
		rows = append(rows, part...)
	}
	rows = append(rows,
		boilerplate("version $_", "version", "the release that wrote the text; load ignores it (CLI reference, version)"),
		boilerplate("apply-groups $_:group", "default-groups", "names of groups that a unit's own software defines or a factory configuration applies"))
	return lens.Table{
		Nested: true, Ending: ";", Indent: "    ",
		Parse: parse, Words: words, Quote: syntax.Quote, Unquote: syntax.Unquote,
		Codecs: codecs(n),
		Funcs: map[string]func(any) (any, bool){
			"type-of": typeOf, "parent-of": parentOf,
			"vlan-of": func(v any) (any, bool) {
				s, _ := v.(string)
				id, ok := n.vlans[s]
				return id, ok
			},
			"local-as": func(any) (any, bool) { return n.as, n.as > 0 },
		},
		Rows: rows,
		Lines: []lens.Rule{
			{ID: "last-commit", Class: plugins.Volatile, Pattern: `^## Last (?:commit|changed):`, Why: "when and by whom it was committed"},
			{ID: "remark", Class: plugins.Boilerplate, Pattern: `^(?:#|/\*)`, Why: "a remark for people, or of the CLI about the statement below it (CLI User Guide, annotate)"},
		},
		Ordered: []string{
			"cfgvault-system:system/dns/server", "cfgvault-system:system/dns/search", "cfgvault-system:system/users/user/ssh-key",
			"cfgvault-policies:policies/policy/term",
		},
		Vocabulary: []string{"groups", "chassis", "security", "access", "firewall", "class-of-service", "services", "applications", "event-options",
			"poe", "virtual-chassis", "switch-options", "wlan", "ethernet-switching-options", "bridge-domains", "logical-systems", "dynamic-profiles", "multi-chassis", "accounting-options", "fabric", "tenants", "access-profile"},
	}
}

func boilerplate(text, rule, why string, below ...lens.Row) lens.Row {
	return lens.Row{Text: text, Class: plugins.Boilerplate, Rule: rule, Why: why, Rows: below}
}

// set prefixes every fact with a place.
func set(place string, facts ...string) string {
	out := make([]string, len(facts))
	for i, f := range facts {
		out[i] = place + "/" + f
	}
	return strings.Join(out, " ")
}
