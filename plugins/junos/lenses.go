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
			with(namesIn(text), func(l *lens.Lens) { r.Read(l, a.Name, text, nil) })
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
	var text string
	var losses []plugins.Loss
	with(n, func(l *lens.Lens) { text, losses, err = l.Write(shaped) })
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
// VLANs, the AS number of the router, and the servers of DHCP relays.
type names struct {
	vlans  map[string]int64
	as     int64
	relays map[string][]any // interface to the servers that its DHCP requests go to
	// preferences of static routes, by prefix, in an instance by "NAME.PREFIX"
	preferences map[string]int64
}

// namesIn looks for them before the text is read.
func namesIn(text string) names {
	n := names{vlans: map[string]int64{}, relays: map[string][]any{}, preferences: map[string]int64{}}
	relays := relays{groups: map[string][]any{}, active: map[string]string{}}
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
		if len(path) > 0 && path[0].Text == "forwarding-options" {
			relays.note(path)
			continue
		}
		switch {
		case len(path) == 4 && (path[0].Text == "vlans" || path[0].Text == "bridge-domains") && path[2].Text == "vlan-id":
			if id, err := strconv.ParseInt(path[3].Text, 10, 64); err == nil && id > 0 && id < 4095 {
				n.vlans[syntax.Unquote(path[1].Text)] = id
			}
		case len(path) > 5 && path[len(path)-2].Text == "preference" && path[len(path)-4].Text == "route" && path[len(path)-5].Text == "static":
			prefix, ok := lens.Builtin()["prefix"].Read(path[len(path)-3].Text)
			d, err := strconv.ParseInt(path[len(path)-1].Text, 10, 64)
			if !ok || err != nil || d < 1 || d > 255 {
				break
			}
			key := prefix[0].(string)
			if path[0].Text == "routing-instances" {
				key = syntax.Unquote(path[1].Text) + "." + key
			}
			n.preferences[key] = d
		case len(path) >= 3 && path[0].Text == "routing-options" && path[1].Text == "autonomous-system":
			if v, ok := lens.Builtin()["asn"].Read(path[2].Text); ok {
				n.as = v[0].(int64)
			}
		}
	}
	relays.into(n.relays)
	return n
}

// relays are what a configuration says of DHCP relays, in whatever order.
type relays struct {
	groups  map[string][]any  // servers by group; "" those of all bootp helpers
	active  map[string]string // group of servers by group of interfaces; "" for all
	members [][2]string       // group of interfaces, interface
	helpers []string          // interfaces of bootp helpers
}

func (r *relays) note(path []syntax.Word) {
	word := func(i int) string {
		if i < len(path) {
			return syntax.Unquote(path[i].Text)
		}
		return ""
	}
	values := func(i int) (out []any) { // also of a list in brackets
		for ; i < len(path); i++ {
			if v, ok := lens.Builtin()["ip4"].Read(word(i)); ok {
				out = append(out, v[0])
			}
		}
		return out
	}
	switch at := word(1) + " " + word(2); {
	case at == "dhcp-relay server-group":
		r.groups[word(3)] = append(r.groups[word(3)], values(4)...)
	case at == "dhcp-relay active-server-group":
		r.active[""] = word(3)
	case at == "dhcp-relay group" && word(4) == "active-server-group":
		r.active[word(3)] = word(5)
	case at == "dhcp-relay group" && word(4) == "interface":
		r.members = append(r.members, [2]string{word(3), word(5)})
	case at == "helpers bootp" && word(3) == "server":
		r.groups[""] = append(r.groups[""], values(4)...)
	case at == "helpers bootp" && word(3) == "interface" && len(path) == 5:
		r.helpers = append(r.helpers, word(4))
	}
}

// into tells the servers of each interface.
func (r *relays) into(all map[string][]any) {
	for _, m := range r.members {
		group, ok := r.active[m[0]]
		if !ok {
			group = r.active[""]
		}
		if group != "" {
			all[m[1]] = r.groups[group]
		}
	}
	for _, i := range r.helpers {
		all[i] = r.groups[""]
	}
}

// tables are those for routers without an AS number, and with one.
var tables = [2]lens.Lent[names]{
	{New: func(n *names) lens.Table { return configTable(n, false) }},
	{New: func(n *names) lens.Table { return configTable(n, true) }},
}

// with lends the table for a text with these names.
func with(n names, use func(*lens.Lens)) {
	if n.as > 0 {
		tables[1].With(n, use)
		return
	}
	tables[0].With(n, use)
}

// configTable is the configuration of Junos 12 to 25, from Juniper's CLI
// reference. What a factory-default unit shows is called boilerplate only where
// the reference or a factory configuration says so.
func configTable(n *names, as bool) lens.Table {
	var rows []lens.Row
	for _, part := range [][]lens.Row{
		chassisRows(), systemRows(), interfaceRows(), snmpRows(), forwardingRows(), policyRows(), firewallRows(), securityRows(), instanceRows(as), routingRows(as), protocolRows(as), vlanRows(),
	} {
		rows = append(rows, part...)
	}
	rows = append(rows,
		boilerplate("$_:member", "prompt", "what a member of a cluster or virtual chassis prints before its prompt"),
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
			"preference-of": func(v any) (any, bool) {
				s, _ := v.(string)
				d, ok := n.preferences[s]
				return d, ok
			},
			"servers-of": func(v any) (any, bool) {
				s, _ := v.(string)
				return n.relays[s], len(n.relays[s]) > 0
			},
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

// chassisRows: how many bundles there are follows from the interfaces;
// rendering says so.
func chassisRows() []lens.Row {
	return []lens.Row{{Text: "chassis", Rows: []lens.Row{
		{Text: "aggregated-devices ethernet device-count $_:1..4092"},
		boilerplate("fpc 0 pic 0 number-of-ports $_:1..96", "virtual-ports", "what a virtual router's image sets for its ports (recorded, 25.4)"),
		boilerplate("auto-image-upgrade", "image-upgrade", "the factory configuration of EX and QFX has it"),
	}}}
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
