//go:build unix && !linux

package host

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// spawner starts children. Without a parent-death signal a child of an agent
// that was killed learns it from its connection.
type spawner struct{}

func newSpawner() *spawner { return &spawner{} }

func (*spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Start()
}

func (*spawner) stop() {}

// awaitExit has nothing to wait on here: the group is killed after the process
// was reaped.
func awaitExit(int) {}

// sealed holds verified bytes so that a child executes exactly them: in a copy
// that only this user can reach.
func sealed(dir, name string, data []byte) (path string, inherit *os.File, err error) {
	sub, err := os.MkdirTemp(dir, "bin")
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(sub, name)
	// No fork while the copy is open for writing: a child that inherits the
	// descriptor would make it "text file busy".
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return path, nil, os.WriteFile(path, data, 0o500)
}

// ownMemory cannot be told here; GOMEMLIMIT alone bounds the process.
func ownMemory(int) (int64, error) { return 0, errors.ErrUnsupported }
