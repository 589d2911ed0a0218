package dir

import (
	"os"

	"golang.org/x/sys/unix"
)

// renameNoReplace renames within a directory unless the name is taken.
func renameNoReplace(dir *os.File, from, to string) error {
	fd := int(dir.Fd())
	return unix.Renameat2(fd, from, fd, to, unix.RENAME_NOREPLACE)
}
