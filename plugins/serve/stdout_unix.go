//go:build unix

package serve

import (
	"os"

	"golang.org/x/sys/unix"
)

// handOverStdout gives the protocol a descriptor of its own and points the
// process's standard output at standard error, so that nothing that a driver,
// a library or a child process prints can be taken for the protocol.
func handOverStdout() error {
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return err
	}
	if err := unix.Dup2(2, 1); err != nil {
		return err
	}
	os.Stdout = os.NewFile(uintptr(fd), "protocol")
	return nil
}
