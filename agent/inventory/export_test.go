package inventory

import "slices"

// Equal compares the own values of two devices as they are written.
func Equal(a, b Device) bool {
	return wanted{a.Name, deviceFields(&a)}.equal(wanted{b.Name, deviceFields(&b)})
}

// SplitCommand is splitCommand.
func SplitCommand(s string) ([]string, error) { return splitCommand(s) }

// Both reads text with the fast reader and with the library and reports
// whether the fast one could, and whether both gave the same.
func Both(text []byte) (fast, same bool) {
	a, ok := scan(text)
	if !ok {
		return false, true
	}
	b, err := parseYAML(text)
	return true, err == nil && sameNode(&a, &b)
}

func sameNode(a, b *node) bool {
	// The columns of values serve messages only, and the library counts a blank
	// at the end of a line in; those of keys decide where an edit goes.
	if a.kind != b.kind || a.text != b.text || a.line != b.line && a.kind != null {
		return false
	}
	if a.quoted != b.quoted || a.flow != b.flow {
		return false
	}
	return slices.EqualFunc(a.keys, b.keys, func(x, y entry) bool {
		return x.key == y.key && x.line == y.line && x.col == y.col && sameNode(&x.value, &y.value)
	}) && slices.EqualFunc(a.items, b.items, func(x, y node) bool { return sameNode(&x, &y) })
}
