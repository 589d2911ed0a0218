//go:build !unix

package session

import "net"

// keepUrgent has no equal here: a device that sends a data mark loses a byte.
func keepUrgent(net.Conn) {}
