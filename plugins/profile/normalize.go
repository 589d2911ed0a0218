package profile

import (
	"bytes"
	"context"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Normalize gives an empty tree and accounts for every line: volatile, secret,
// or unparsed. Binary data has no lines.
func (p *Profile) Normalize(ctx context.Context, _ plugins.Facts, native []plugins.Artefact) (*plugins.Normalized, error) {
	n := &plugins.Normalized{Tree: []byte("{}")}
	for _, a := range native {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if bytes.IndexByte(a.Data, 0) < 0 {
			p.account(n, a)
		}
	}
	return n, nil
}

func (p *Profile) account(n *plugins.Normalized, a plugins.Artefact) {
	// Secrets of several lines are known only to the whole text.
	shown := strings.Split(p.text.Redact(a.Name, string(a.Data)), "\n")
	counts := map[string]map[plugins.Class]int{}
	var order []string
	section := ""
	number := 0
	for line := range bytes.Lines(a.Data) {
		number++
		text := strings.TrimRight(string(line), " \t\r\n")
		if text == "" {
			continue
		}
		hidden := strings.TrimRight(shown[number-1], " \t\r\n")
		if text[0] != ' ' && text[0] != '\t' {
			section = clip(hidden)
		}
		l := plugins.Line{Artefact: a.Name, Number: number, Class: plugins.Unparsed, Section: section}
		if id := p.text.VolatileRule(a.Name, bytes.TrimRight(line, "\r\n")); id != "" {
			l.Class, l.Rule = plugins.Volatile, id
		} else if hidden != text {
			l.Class = plugins.SecretOpaque
		}
		n.Residual = append(n.Residual, l)
		if counts[section] == nil {
			counts[section] = map[plugins.Class]int{}
			order = append(order, section)
		}
		counts[section][l.Class]++
	}
	for _, s := range order {
		n.Coverage = append(n.Coverage, plugins.Coverage{Artefact: a.Name, Section: s, Lines: counts[s]})
	}
}

// clip bounds a section's heading.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
