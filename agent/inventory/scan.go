package inventory

// scan reads the form of YAML that Save writes.
func scan(text []byte) (node, bool) { return node{}, false }
