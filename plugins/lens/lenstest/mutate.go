package lenstest

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Mutations changes a tree in up to eight places at random – leaves out a
// node, puts another value in the place of one, adds a node that no module
// knows – and gives each result to check: law tests meet trees that no device
// of the platform would give.
func Mutations(t *testing.T, tree []byte, check func([]byte) error) {
	rapid.Check(t, func(t *rapid.T) {
		var v any
		if err := json.Unmarshal(tree, &v); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 8).Draw(t, "changes") {
			v = mutate(t, v)
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := check(out); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}

// mutate walks down to one node and changes it.
func mutate(t *rapid.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return v
		}
		var names []string
		for n := range v {
			names = append(names, n)
		}
		slices.Sort(names)
		n := rapid.SampledFrom(names).Draw(t, "member")
		_, isNode := v[n].(map[string]any)
		_, isArray := v[n].([]any)
		switch {
		case rapid.IntRange(0, 19).Draw(t, "add") == 0:
			v["unknown"] = value(t)
		case !isNode && !isArray && rapid.Bool().Draw(t, "leaf"):
			v[n] = value(t)
		case (isNode || isArray) && rapid.IntRange(0, 9).Draw(t, "keep") > 0:
			v[n] = mutate(t, v[n])
		default:
			delete(v, n)
		}
		return v
	case []any:
		if len(v) == 0 {
			return v
		}
		i := rapid.IntRange(0, len(v)-1).Draw(t, "entry")
		switch {
		case rapid.IntRange(0, 3).Draw(t, "keep") > 0:
			v[i] = mutate(t, v[i])
		default:
			v = slices.Delete(v, i, i+1)
		}
		return v
	}
	return value(t)
}

func value(t *rapid.T) any {
	return rapid.SampledFrom([]any{
		"", " ", "x", "two words", " lead", "line\nline", "EOF", "10.0.0.1", "10.0.0.0/8", "10.0.0.1/8", "2001:DB8::1", "2001:db8::1", "::ffff:10.0.0.1",
		"fe80::1%eth0", "default", "any", "none", "1-3", "3-1", "0", "exit", "!", "end", "eth0", "Ethernet1", "Port-Channel7", "\u00e9", "tab\there", "\u0001",
		"$6$hash", "65001", "internal", "all", "prefer", "secondary", "activate", "blackhole",
		0, 1, -1, 7, 32, 4094, 4095, 70000, 4294967296, 1.5, true, false, nil,
	}).Draw(t, "value")
}
