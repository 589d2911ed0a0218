//go:build unix

package unix

import (
	"os"
	"syscall"
)

// Sys tells the shell that a file belongs to whoever runs it: there is one
// user.
func (i info) Sys() any {
	return &syscall.Stat_t{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
}
