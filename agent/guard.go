package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Guard is what the agent remembers of a device's last accepted snapshot in
// order to notice one that must not become latest good: counts, never
// configuration.
type Guard struct {
	Serials   []string       `json:"serials,omitempty"`
	Artefacts map[string]int `json:"artefacts"` // significant lines of each
	Sections  map[string]int `json:"sections"`  // significant lines of each kind of section, "running-config: router bgp"
}

// Codes by which a snapshot is held. They stand in signed records.
const (
	HeldSerial   = "other-serial"
	HeldArtefact = "artefact-gone"
	HeldSection  = "section-gone"
	HeldShrunk   = "shrunk"
	HeldFactory  = "factory-default"
)

// shrinkLimit is the share of significant lines that may vanish from one
// snapshot to the next before it is held (design §6).
const shrinkLimit = 0.30

// newGuard counts an export. A norm of nil leaves the sections out.
func newGuard(f plugins.Facts, text *plugins.Text, exp *plugins.Export, norm *plugins.Normalized) Guard {
	g := Guard{Serials: f.Serials, Artefacts: map[string]int{}, Sections: map[string]int{}}
	for _, a := range exp.Artefacts {
		if a.Role == plugins.RoleState {
			continue
		}
		g.Artefacts[a.Name] = countLines(text.Significant(a.Name, a.Data))
	}
	if norm == nil {
		return g
	}
	for _, c := range norm.Coverage {
		n := 0
		for class, count := range c.Lines {
			if class != plugins.Volatile && class != plugins.Boilerplate {
				n += count
			}
		}
		if n > 0 {
			g.Sections[c.Artefact+": "+sectionKind(c.Section)] += n
		}
	}
	return g
}

// sectionKind reduces a section's heading to what kind of section it is: the
// leading words without the names that follow, so that one interface less is
// no alarm and no `router bgp` at all is.
func sectionKind(heading string) string {
	var kind []string
	for _, w := range strings.Fields(heading) {
		if len(kind) == 2 || !isWord(w) {
			break
		}
		kind = append(kind, w)
	}
	if len(kind) == 2 && kind[0] == "interface" {
		kind = kind[:1]
	}
	return strings.Join(kind, " ")
}

func isWord(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && r != '-' {
			return false
		}
	}
	return true
}

func countLines(data []byte) int {
	n := 0
	for line := range bytes.Lines(data) {
		if len(bytes.TrimSpace(line)) > 0 {
			n++
		}
	}
	return n
}

// Held is one reason why a snapshot is held.
type Held struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// hold compares a new export with the guard of the last accepted one. A nil
// base holds nothing but a factory default.
func hold(base *Guard, now Guard, factory bool) []Held {
	var held []Held
	if factory {
		held = append(held, Held{HeldFactory, "the unit carries no configuration of its own"})
	}
	if base == nil {
		return held
	}
	if len(base.Serials) > 0 && len(now.Serials) > 0 && !slices.Equal(base.Serials, now.Serials) {
		held = append(held, Held{HeldSerial, fmt.Sprintf("serial is %s, was %s", strings.Join(now.Serials, " "), strings.Join(base.Serials, " "))})
	}
	total, was := 0, 0
	for _, name := range sortedKeys(base.Artefacts) {
		was += base.Artefacts[name]
		if n, ok := now.Artefacts[name]; !ok || n == 0 && base.Artefacts[name] > 0 {
			held = append(held, Held{HeldArtefact, "artefact " + name + " is gone"})
		}
	}
	for _, n := range now.Artefacts {
		total += n
	}
	// Without a tree there are no sections to compare.
	if len(now.Sections) > 0 {
		for _, name := range sortedKeys(base.Sections) {
			if now.Sections[name] == 0 {
				held = append(held, Held{HeldSection, "section " + name + " is gone"})
			}
		}
	}
	if float64(total) < float64(was)*(1-shrinkLimit) {
		held = append(held, Held{HeldShrunk, fmt.Sprintf("%d significant lines, were %d", total, was)})
	}
	return held
}

// guardState is what the vault keeps for the agent per device, opaque to it.
type guardState struct {
	Base *Guard `json:"base,omitempty"` // of the newest snapshot that was not held
	Held *Guard `json:"held,omitempty"` // of the newest held one, until it is accepted

	NoTree bool `json:"no-tree,omitempty"` // the newest snapshot has no tree
}

func decodeGuard(data []byte) guardState {
	var s guardState
	// A state of another version only costs one night without the guard.
	if json.Unmarshal(data, &s) != nil {
		return guardState{}
	}
	return s
}

func (s guardState) encode() []byte {
	data, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return data
}
