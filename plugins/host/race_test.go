//go:build race

package host_test

// The race detector keeps several bytes for each byte of the program's.
const largeLimit = 4 << 30
