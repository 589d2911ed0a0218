package host

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// spawner starts all children from one operating system thread that lives
// until stop. The kernel sends a child its parent-death signal when the thread
// that forked it ends, not the process, so the thread must not be one that
// the runtime may retire.
type spawner struct {
	reqs chan func()
	done chan struct{}
}

func newSpawner() *spawner {
	s := &spawner{reqs: make(chan func()), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		// Never unlocked: the thread keeps what is set below, so it must end
		// with this goroutine instead of serving others.
		runtime.LockOSThread()
		// Inherited by every child: no set-uid program gives a plugin rights
		// that the agent does not have. A kernel that cannot is no reason to
		// stop.
		_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		for f := range s.reqs {
			f()
		}
	}()
	return s
}

// start starts the command in a process group of its own that dies with the
// agent.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err := make(chan error, 1)
	s.reqs <- func() { err <- cmd.Start() }
	if err := <-err; err != nil {
		return err
	}
	// A core dump would hold configurations.
	_ = unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	return nil
}

// stop ends the thread. No child may be alive.
func (s *spawner) stop() {
	close(s.reqs)
	<-s.done
}

// awaitExit waits until the process has ended and leaves it a zombie, so that
// its group can still be named without the risk of a reused number.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// sealed holds verified bytes so that a child executes exactly them, whatever
// happens to the file that they came from: in an unnamed file that can never
// change. The child runs path and must inherit the file as descriptor 3.
func sealed(_, name string, data []byte) (path string, inherit *os.File, err error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return "", nil, fmt.Errorf("memfd: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	const seals = unix.F_SEAL_WRITE | unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL
	_, err = f.Write(data)
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		f.Close()
		return "", nil, fmt.Errorf("memfd: %w", err)
	}
	return "/proc/self/fd/3", f, nil
}

// ownMemory returns the bytes of memory that belong to a process and to no
// file: what it allocated, and what it keeps in memory files.
func ownMemory(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	var sum int64
	for line := range bytes.Lines(data) {
		for _, field := range []string{"RssAnon:", "RssShmem:", "VmSwap:"} {
			if rest, ok := bytes.CutPrefix(line, []byte(field)); ok {
				kb, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
				if err != nil {
					return 0, err
				}
				sum += kb << 10
			}
		}
	}
	return sum, nil
}
