package agent

import (
	"encoding/json"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/schemas"
)

// withoutOwnSecrets leaves out the secrets that a platform stores in a way of
// its own, such as type 7: another platform gives the same name to another way,
// and would take them for a different secret without a word. What is in clear
// or hashed in a form that has a common name stays.
func withoutOwnSecrets(set *schemas.Set, t *schemas.Tree, driver string) (*schemas.Tree, []plugins.Loss, error) {
	var doc map[string]any
	if err := json.Unmarshal(t.Canonical(), &doc); err != nil {
		return nil, nil, err
	}
	if !stripSecrets(doc) {
		return t, nil, nil
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, nil, err
	}
	out, err := set.ParseJSON(data)
	if err != nil {
		return nil, nil, err
	}
	var losses []plugins.Loss
	for _, e := range schemas.Diff(t, out) {
		losses = append(losses, plugins.Loss{Path: e.Path, Code: "own-encoding", Text: "stored in a way of " + driver + "'s own, which no other platform reads: set it anew"})
	}
	return out, losses, nil
}

// stripSecrets works on JSON data in place: in the common modules a secret is a
// leaf value, and the leaf type beside it says how the platform stores it.
func stripSecrets(node any) (changed bool) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			changed = stripSecrets(v) || changed
		}
	case map[string]any:
		kind, typed := n["type"].(string)
		if _, valued := n["value"].(string); typed && valued && ownEncoding(kind) {
			delete(n, "type")
			delete(n, "value")
			changed = true
		}
		for key, v := range n {
			if stripSecrets(v) {
				changed = true
				if m, ok := v.(map[string]any); ok && len(m) == 0 {
					delete(n, key)
				}
			}
		}
	}
	return changed
}

// ownEncoding reports that a secret of that type is neither in clear nor hashed
// in a form that has a common name: types go by numbers, which every vendor
// gives as it likes.
func ownEncoding(kind string) bool {
	words := strings.Fields(kind)
	if len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	return last == "obscured" || last == "other" || last != "0" && last[0] >= '0' && last[0] <= '9'
}
