//go:build !race

package host_test

// What a plugin may use in TestLarge: a few times the 64 MiB that pass.
const largeLimit = 320 << 20
