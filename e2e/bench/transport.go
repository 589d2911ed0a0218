package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"
)

// dialogue is what a backup of an EOS device types, after the login.
func dialogue() []string {
	return []string{"", "terminal length 0", "terminal width 32767", "", "show version", "show hostname", "show running-config", "show startup-config", "show boot-config", "show inventory", "show lldp neighbors | json"}
}

// hostKey is the key that a server shows.
func hostKey(addr string) (string, error) {
	var key string
	conf := &ssh.ClientConfig{User: "nobody", HostKeyCallback: func(_ string, _ net.Addr, k ssh.PublicKey) error {
		key = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
		return nil
	}}
	c, err := ssh.Dial("tcp", addr, conf)
	if err == nil {
		c.Close()
	}
	if key == "" {
		return "", fmt.Errorf("host key of %s: %w", addr, err)
	}
	return key, nil
}

// clients is a bare client for every device of a fleet, at most limit at once:
// what any program has to spend that holds these conversations. It returns the
// time and the CPU that they took.
func (f *simulated) clients(ctx context.Context, n, limit int) (wall, cpu time.Duration, err error) {
	begun, before := time.Now(), ownCPU()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(limit)
	for i := range n {
		g.Go(func() error {
			if err := f.converse(ctx, fleetUser(i)); err != nil {
				return fmt.Errorf("plain client, %s: %w", fleetUser(i), err)
			}
			return nil
		})
	}
	err = g.Wait()
	return time.Since(begun), ownCPU() - before, err
}

// converse logs in as user and holds one dialogue.
func (f *simulated) converse(ctx context.Context, user string) error {
	if f.over == telnet {
		return f.converseTelnet(ctx, user)
	}
	c, err := ssh.Dial("tcp", f.addr, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.Password(f.password)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), // the fleet is this program's own, on loopback
	})
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	s, err := c.NewSession()
	if err != nil {
		return err
	}
	defer s.Close()
	in, err := s.StdinPipe()
	if err != nil {
		return err
	}
	out, err := s.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.RequestPty("vt100", 1000, 32767, nil); err != nil {
		return err
	}
	if err := s.Shell(); err != nil {
		return err
	}
	return (&plainClient{in: in, out: out, enter: "\n"}).talk()
}

// converseTelnet needs no negotiation: the fleet does not wait for any.
func (f *simulated) converseTelnet(ctx context.Context, user string) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", f.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	p := &plainClient{in: c, out: c, enter: "\r"}
	for _, q := range []struct{ question, answer string }{{"Username: ", user}, {"Password: ", f.password}} {
		if err := p.until(func(got []byte) bool { return bytes.HasSuffix(got, []byte(q.question)) }); err != nil {
			return err
		}
		if _, err := io.WriteString(p.in, q.answer+p.enter); err != nil {
			return err
		}
	}
	if err := p.until(func(got []byte) bool { return bytes.HasSuffix(got, []byte("#")) }); err != nil {
		return err
	}
	return p.talk()
}

// plainClient is one login on a command line.
type plainClient struct {
	in    io.Writer
	out   io.Reader
	enter string // what the key sends
	got   []byte // not looked at yet
	buf   [4 << 10]byte
}

// until reads until what came is enough.
func (p *plainClient) until(enough func(got []byte) bool) error {
	for !enough(p.got) {
		n, err := p.out.Read(p.buf[:])
		if p.got = append(p.got, p.buf[:n]...); err != nil {
			return err
		}
	}
	return nil
}

// talk holds the dialogue. Each command is followed by a comment that the
// device echoes behind its prompt, which proves that the answer has ended.
func (p *plainClient) talk() error {
	for i, command := range dialogue() {
		mark := fmt.Sprintf("!end%d", i)
		text := mark + p.enter
		if command != "" {
			text = command + p.enter + text
		}
		if _, err := io.WriteString(p.in, text); err != nil {
			return err
		}
		if err := p.until(func(got []byte) bool { return answered(got, mark) }); err != nil {
			return err
		}
		p.got = append(p.got[:0], '#') // behind which the next echo stands
	}
	return nil
}

// answered reports whether what was read ends in the prompt after the mark.
func answered(got []byte, mark string) bool {
	if !bytes.HasSuffix(got, []byte("#")) {
		return false
	}
	i := bytes.LastIndex(got, []byte("#"+mark+"\r\n"))
	return i >= 0 && bytes.IndexByte(got[i+len(mark)+3:], '\n') < 0
}

// ownCPU is what this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peaks watches a process and its children, and says how much memory each had
// at most. The kernel keeps that mark, so looking four times a second misses
// only what a process gains in its last quarter, and takes nothing from what is
// measured.
type peaks struct {
	pid  int
	stop chan struct{}
	wg   sync.WaitGroup

	process, child int64 // bytes
}

func watch(pid int) *peaks {
	p := &peaks{pid: pid, stop: make(chan struct{})}
	p.wg.Go(func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			p.process = max(p.process, highWater(pid))
			for _, child := range children(pid) {
				p.child = max(p.child, highWater(child))
			}
			select {
			case <-tick.C:
			case <-p.stop:
				return
			}
		}
	})
	return p
}

func (p *peaks) end() {
	close(p.stop)
	p.wg.Wait()
}
