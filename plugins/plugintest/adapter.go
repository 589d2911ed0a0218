package plugintest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// CheckAdapter holds an adapter to what a replacement needs of it. The map gives
// ports of native other names, none of which native has. There must be no old
// name left in what decides a restore, but in lines that are for people or that
// were reported as losses; and nothing else may have changed: the way back ends,
// byte for byte, at what native is when each port gets its own name.
func CheckAdapter(ctx context.Context, a plugins.Adapter, native []plugins.Artefact, facts plugins.Facts, m plugins.InterfaceMap, forPeople *regexp.Regexp) error {
	same := plugins.InterfaceMap{}
	for from := range m {
		same[from] = from
	}
	still, _, err := a.Adapt(ctx, native, facts, facts, same)
	if err != nil {
		return fmt.Errorf("each port its own name: %w", err)
	}
	there, losses, err := a.Adapt(ctx, native, facts, facts, m)
	if err != nil {
		return err
	}
	back := plugins.InterfaceMap{}
	for from, to := range m {
		back[to] = from
	}
	again, _, err := a.Adapt(ctx, there, facts, facts, back)
	if err != nil {
		return fmt.Errorf("the way back: %w", err)
	}
	told := map[string]bool{} // lines that were reported; what is left out moves their numbers
	for _, art := range native {
		lines := strings.Split(string(art.Data), "\n")
		for _, l := range losses {
			if l.Artefact == art.Name && l.Line > 0 && l.Line <= len(lines) {
				told[lines[l.Line-1]] = true
			}
		}
	}
	var bad []error
	changed := 0
	for i, art := range there {
		if art.Role == plugins.RoleState {
			continue
		}
		if art.Name != still[i].Name || !bytes.Equal(again[i].Data, still[i].Data) {
			bad = append(bad, fmt.Errorf("%s: there and back is not what it was; %s", art.Name, firstDifference(still[i].Data, again[i].Data)))
		}
		if !bytes.Equal(art.Data, still[i].Data) {
			changed++
		}
		for n, line := range strings.Split(string(art.Data), "\n") {
			if forPeople.MatchString(line) || told[line] {
				continue
			}
			for old := range m {
				if names(line, old) {
					bad = append(bad, fmt.Errorf("%s:%d still names %s: %q", art.Name, n+1, old, line))
				}
			}
		}
	}
	if changed == 0 {
		bad = append(bad, errors.New("the map renamed nothing"))
	}
	return errors.Join(bad...)
}

// names reports a line that holds a name with nothing around it that could be
// part of a longer one.
func names(line, name string) bool {
	for at := 0; ; {
		i := strings.Index(line[at:], name)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(name)
		if (from == 0 || !partOfName(line[from-1])) && (to == len(line) || !partOfName(line[to])) {
			return true
		}
		at = from + 1
	}
}

func partOfName(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '/' || c == '-' || c == '_' || c == ':'
}

func firstDifference(a, b []byte) string {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d was %q and is %q", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("it had %d lines and has %d", len(x), len(y))
}
