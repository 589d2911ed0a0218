package cisco

import (
	"bytes"
	"regexp"
)

// mark is how a line of one platform's configuration begins; rest, where there
// is one, matches what follows.
type mark struct {
	prefix string
	rest   *regexp.Regexp
	name   string
}

// foreign are the marks by which configurations of other platforms are known,
// the surest first.
var foreign = [...]mark{
	{"! device: ", regexp.MustCompile(`EOS-`), "EOS"},
	{"!! IOS XR Configuration", nil, "IOS-XR"},
	{"!!IOS XR Configuration", nil, "IOS-XR"},
	{"!Command: show ", nil, "NX-OS"},
	{"Current configuration : ", regexp.MustCompile(`^\d+ bytes`), "IOS"},
	{"## Last c", nil, "Junos"},
	{"set version ", nil, "Junos"},
	{"system {", regexp.MustCompile(`^\r?$`), "Junos"},
	{"interfaces {", regexp.MustCompile(`^\r?$`), "Junos"},
	{"frr version ", nil, "FRR"},
	{"# ", regexp.MustCompile(` by RouterOS `), "RouterOS"},
}

// LooksLike names another platform than the own one whose configuration a text
// is, or "".
func LooksLike(text []byte, own string) string {
	best := len(foreign)
	for line := range bytes.Lines(text) {
		switch line[0] {
		case '!', '#', 'C', 'f', 'i', 's':
		default:
			continue
		}
		for i, m := range foreign[:best] {
			rest, ok := bytes.CutPrefix(line, []byte(m.prefix))
			if ok && m.name != own && (m.rest == nil || m.rest.Match(bytes.TrimRight(rest, "\n"))) {
				best = i
				break
			}
		}
	}
	if best == len(foreign) {
		return ""
	}
	return foreign[best].name
}
