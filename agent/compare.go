package agent

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Difference is one way in which a device is not as it was wanted.
type Difference struct {
	Artefact string `json:"artefact"`
	What     string `json:"what"`           // "missing", "extra", "different", "attributes"
	Text     string `json:"diff,omitempty"` // unified diff, secrets hidden
}

func (d Difference) String() string { return d.Artefact + ": " + d.What }

// compared reports whether an artefact decides if a restore succeeded:
// everything that is running or a file. Startup follows with Confirm.
func compared(a plugins.Artefact) bool {
	return a.Role == plugins.RoleRunning || a.Role == plugins.RoleFile
}

// Compare holds what a device has against what it should have, byte for byte
// after volatile lines. Artefacts of role startup and state do not count.
func Compare(text *plugins.Text, want, got []plugins.Artefact) []Difference {
	have := byName(got)
	var diffs []Difference
	seen := map[string]bool{}
	for _, w := range want {
		if !compared(w) {
			continue
		}
		seen[w.Name] = true
		g, ok := have[w.Name]
		if !ok {
			diffs = append(diffs, Difference{Artefact: w.Name, What: "missing"})
			continue
		}
		if a, b := text.Significant(w.Name, w.Data), text.Significant(g.Name, g.Data); !bytes.Equal(a, b) {
			diffs = append(diffs, Difference{w.Name, "different", Diff(text, w.Name, "wanted/"+w.Name, "device/"+w.Name, a, b)})
			continue
		}
		if d := attrsDiff(w.Attrs, g.Attrs); d != "" {
			diffs = append(diffs, Difference{Artefact: w.Name, What: "attributes", Text: d})
		}
	}
	for _, g := range got {
		if compared(g) && !seen[g.Name] {
			diffs = append(diffs, Difference{Artefact: g.Name, What: "extra"})
		}
	}
	return diffs
}

func byName(list []plugins.Artefact) map[string]plugins.Artefact {
	m := make(map[string]plugins.Artefact, len(list))
	for _, a := range list {
		m[a.Name] = a
	}
	return m
}

// attrsDiff lists the wanted attributes that a device does not have. What a
// driver reads more than it did then is no difference.
func attrsDiff(want, got map[string]string) string {
	var b strings.Builder
	for _, k := range sortedKeys(want) {
		if want[k] != got[k] {
			fmt.Fprintf(&b, "%s: wanted %q, device has %q\n", k, want[k], got[k])
		}
	}
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
