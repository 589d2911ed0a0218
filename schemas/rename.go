package schemas

// Rename returns a copy of the tree in which rename has had its say on every
// value whose type is, or derives from, one of the typedefs ("module:name"),
// wherever it stands: as a key, as a leaf or as a reference. The new values are
// not checked, and entries of a list may have become the same: read the copy's
// Canonical again, and validate it.
func (t *Tree) Rename(rename func(string) string, typedefs ...string) *Tree {
	out := t.clone()
	var walk func(it *item)
	walk = func(it *item) {
		if it.schema != nil && it.schema.leafy() && it.named(typedefs) {
			it.val.text = rename(it.val.text)
		}
		for _, g := range it.groups {
			for _, k := range g.items {
				walk(k)
			}
		}
	}
	walk(out.root)
	return out
}

// named reports that the value, or the reference that it was read by, has one of
// the types.
func (it *item) named(typedefs []string) bool {
	return it.val.typ != nil && it.val.typ.is(typedefs...) || it.val.ref != nil && it.val.ref.is(typedefs...) ||
		it.schema.typ != nil && it.schema.typ.is(typedefs...)
}
