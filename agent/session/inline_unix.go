//go:build unix

package session

import (
	"net"
	"syscall"
)

// keepUrgent leaves urgent data in its place in the stream: Telnet sends the
// second byte of a command that way (RFC 854, the data mark), and without it
// the byte after would be taken for one.
func keepUrgent(c net.Conn) {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_OOBINLINE, 1) })
}
