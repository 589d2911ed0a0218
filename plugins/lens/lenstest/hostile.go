package lenstest

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

// Hostile feeds each named artefact with what no device would send, alone and
// together with good text: it must not panic, must account for every line and
// give a valid tree.
func Hostile(t *testing.T, normalize Normalize, good string, names ...string) {
	var deep strings.Builder
	for i := range 1200 {
		deep.WriteString(strings.Repeat(" ", i) + "interface x\n")
	}
	inputs := map[string]string{
		"empty":             "",
		"newlines":          strings.Repeat("\r\n", 1000),
		"binary":            "\x00\x01\x02\n" + good,
		"invalid UTF-8":     strings.ReplaceAll(good, "e", "\xff"),
		"CR alone":          strings.ReplaceAll(good, "\n", "\r"),
		"CR CR LF":          strings.ReplaceAll(good, "\n", "\r\r\n"),
		"no indents":        strings.ReplaceAll(good, "\n ", "\n"),
		"tabs":              strings.ReplaceAll(good, " ", "\t"),
		"escapes":           strings.ReplaceAll(good, " ", " \x1b[31m"),
		"deep":              deep.String(),
		"one long line":     strings.Repeat("interface ", 200000),
		"one long word":     "interface " + strings.Repeat("x", 2<<20),
		"backwards":         backwards(good),
		"many times itself": strings.Repeat(good, 20),
		"10 MB":             strings.Repeat("neighbor \xe2\x98\x83 what ever = this [is]\n", 10<<20/40),
	}
	for label, text := range inputs {
		for _, name := range names {
			t.Run(label+"/"+strings.ReplaceAll(name, "/", "_"), func(t *testing.T) {
				native := []plugins.Artefact{{Name: name, Data: []byte(text)}}
				n, err := normalize(plugins.Facts{}, native)
				if err != nil {
					t.Fatal(err)
				}
				Account(t, native, n)
				if err := Valid(n.Tree); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func backwards(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return strings.Join(lines, "")
}
