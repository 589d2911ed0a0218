package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a program at a real pseudo-terminal, with somebody who reads the
// screen and types.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	done   chan struct{}

	mu     sync.Mutex
	screen strings.Builder
	read   int // how much of the screen was read
}

// openTerminal starts cmd at a terminal of its own.
func openTerminal(t *testing.T, cmd *exec.Cmd) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	term := &terminal{t: t, cmd: cmd, master: master, done: make(chan struct{})}
	go func() {
		defer close(term.done)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			term.mu.Lock()
			term.screen.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); master.Close() })
	return term
}

func (s *terminal) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.screen.String(), "\r\n", "\n")
}

// await reads the screen until it asks for something and returns what is new on
// it.
func (s *terminal) await(prompt string) string {
	s.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		all := s.text()
		if i := strings.Index(all[s.read:], prompt); i >= 0 {
			seen := all[s.read : s.read+i+len(prompt)]
			s.read += i + len(prompt)
			return seen
		}
		select {
		case <-s.done:
			if !strings.Contains(s.text()[s.read:], prompt) {
				s.t.Fatalf("the program ended and never said %q:\n%s", prompt, s.text())
			}
		case <-time.After(20 * time.Millisecond):
			if time.Now().After(deadline) {
				s.t.Fatalf("never on the screen: %q\n%s", prompt, s.text())
			}
		}
	}
}

func (s *terminal) typed(line string) {
	s.t.Helper()
	if _, err := s.master.WriteString(line + "\n"); err != nil {
		s.t.Fatal(err)
	}
}

// end waits for the program and returns its exit status and the whole screen.
func (s *terminal) end() (int, string) {
	s.t.Helper()
	_ = s.cmd.Wait()
	<-s.done
	return s.cmd.ProcessState.ExitCode(), s.text()
}
