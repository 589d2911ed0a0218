//go:build !linux

package dir

import (
	"os"
	"syscall"
)

// renameNoReplace says that this system has no such rename.
func renameNoReplace(*os.File, string, string) error { return syscall.ENOSYS }
