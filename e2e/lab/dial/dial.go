// Package dial opens a plain SSH session on a lab device, for tests of drivers
// without the agent. It checks the host key and does nothing that the agent's
// session does beyond that: no retries, no bounds, no shell transport.
package dial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/e2e/lab"
	"github.com/cfgvault/cfgvault/plugins"
)

// Session is an SSH connection to a device; its commands run by exec.
type Session struct {
	client *ssh.Client
	opts   map[string]string
	// Commands counts what Run was asked to do.
	Commands int
}

var _ plugins.Session = (*Session)(nil)

// Open logs in to a device.
func Open(ctx context.Context, d *lab.Device, l lab.Login, options map[string]string) (*Session, error) {
	pem, err := os.ReadFile(l.KeyFile)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", d.HostPort())
	if err != nil {
		return nil, err
	}
	c, chans, reqs, err := ssh.NewClientConn(conn, d.HostPort(), &ssh.ClientConfig{
		User: l.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.FixedHostKey(d.HostKey),
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &Session{client: ssh.NewClient(c, chans, reqs), opts: options}, nil
}

// Close ends the connection.
func (s *Session) Close() error { return s.client.Close() }

// ID is the same for all.
func (s *Session) ID() string { return "test" }

// Options are what Open was given.
func (s *Session) Options() map[string]string { return s.opts }

// Run executes a command on an exec channel.
func (s *Session) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	s.Commands++
	ch, err := s.client.NewSession()
	if err != nil {
		return plugins.Output{}, fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
	}
	defer ch.Close()
	var stdout, stderr bytes.Buffer
	ch.Stdin, ch.Stdout, ch.Stderr = bytes.NewReader(c.Input), &stdout, &stderr
	done := make(chan error, 1)
	go func() { done <- ch.Run(c.Text) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		_ = s.client.Close()
		<-done
		return plugins.Output{}, ctx.Err()
	}
	out := plugins.Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), End: plugins.EndStatus}
	code := 0
	var exit *ssh.ExitError
	var missing *ssh.ExitMissingError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		code = exit.ExitStatus()
	case errors.As(err, &missing):
		return plugins.Output{}, plugins.ErrSessionLost
	default:
		return plugins.Output{}, fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
	}
	out.Exit = &code
	return out, nil
}

// CLI is not there.
func (s *Session) CLI(context.Context) (plugins.CLI, error) { return nil, errors.ErrUnsupported }

// Open is not there: the drivers under test do without.
func (s *Session) Open(context.Context, string, string) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}
