package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cable is the way to a simulated device. It can be cut, as the device's own
// cable can: nobody is told, and nothing passes until it is joined.
type cable struct {
	l    net.Listener
	to   string
	mu   sync.Mutex
	open map[net.Conn]bool
	cut  bool
	lost int // connections that the cut cost
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	c, err := layCable(to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	return c
}

func layCable(to string) (*cable, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &cable{l: l, to: to, open: map[net.Conn]bool{}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(conn)
		}
	}()
	return c, nil
}

func (c *cable) stop() { c.l.Close(); c.Cut() }

func (c *cable) carry(a net.Conn) {
	b, err := net.Dial("tcp", c.to)
	c.mu.Lock()
	if err != nil || c.cut {
		c.lost++
		c.mu.Unlock()
		a.Close()
		if b != nil {
			b.Close()
		}
		return
	}
	c.open[a], c.open[b] = true, true
	c.mu.Unlock()
	go func() { _, _ = io.Copy(a, b); a.Close() }()
	_, _ = io.Copy(b, a)
	b.Close()
	c.mu.Lock()
	delete(c.open, a)
	delete(c.open, b)
	c.mu.Unlock()
}

func (c *cable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	c.lost += len(c.open)
	for conn := range c.open {
		conn.Close()
	}
}

// struck is how many connections the cut has cost since it was last asked.
func (c *cable) struck() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.lost
	c.lost = 0
	return n
}

// Refuse lets nothing new pass; what is connected stays so.
func (c *cable) Refuse() { c.mu.Lock(); c.cut = true; c.mu.Unlock() }

func (c *cable) Join() { c.mu.Lock(); c.cut = false; c.mu.Unlock() }
