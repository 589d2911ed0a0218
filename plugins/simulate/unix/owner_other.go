//go:build !unix

package unix

// Sys has nothing to tell.
func (i info) Sys() any { return nil }
