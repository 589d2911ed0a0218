package cisco

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// maxCopy bounds what CopyFrom takes.
const maxCopy = 64 << 20

// CopyTo brings a file to the device over an exec channel, byte for byte, in
// the protocol of scp before it moved to SFTP: a line with mode, size and name,
// the bytes, and a byte of status, each acknowledged. Errors:
// errors.ErrUnsupported if the device refuses the channel,
// plugins.ErrNotPermitted if it says that the login may not, plain errors with
// its words otherwise.
func CopyTo(ctx context.Context, s plugins.Session, name string, data []byte) error {
	return copying(ctx, s, "scp -t "+name, func(c net.Conn, r *bufio.Reader) error {
		if err := acknowledged(r); err != nil {
			return err
		}
		base := name[strings.LastIndexAny(name, ":/")+1:]
		if _, err := fmt.Fprintf(c, "C0600 %d %s\n", len(data), base); err != nil {
			return err
		}
		if err := acknowledged(r); err != nil {
			return err
		}
		if _, err := c.Write(append(bytes.Clone(data), 0)); err != nil {
			return err
		}
		return acknowledged(r)
	})
}

// CopyFrom reads a file of the device over an exec channel. Errors as CopyTo.
func CopyFrom(ctx context.Context, s plugins.Session, name string) ([]byte, error) {
	var data []byte
	err := copying(ctx, s, "scp -f "+name, func(c net.Conn, r *bufio.Reader) error {
		if _, err := c.Write([]byte{0}); err != nil {
			return err
		}
		head, err := r.ReadString('\n')
		if err != nil && head == "" {
			return err
		}
		for strings.HasPrefix(head, "T") { // times
			if _, err := c.Write([]byte{0}); err != nil {
				return err
			}
			if head, err = r.ReadString('\n'); err != nil {
				return err
			}
		}
		f := strings.SplitN(strings.TrimRight(head, "\n"), " ", 3)
		if len(f) != 3 || !strings.HasPrefix(f[0], "C") {
			return refused(head)
		}
		n, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil || n < 0 || n > maxCopy {
			return fmt.Errorf("a file of size %q: %w", f[1], plugins.ErrTooLarge)
		}
		if _, err := c.Write([]byte{0}); err != nil {
			return err
		}
		data = make([]byte, n)
		if _, err := io.ReadFull(r, data); err != nil {
			return err
		}
		if err := acknowledged(r); err != nil {
			return err
		}
		_, err = c.Write([]byte{0})
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

func copying(ctx context.Context, s plugins.Session, command string, talk func(net.Conn, *bufio.Reader) error) error {
	c, err := s.Open(ctx, "exec", command)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	err = talk(c, bufio.NewReader(c))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the copy stops: %w", plugins.ErrSessionLost)
	}
	return err
}

func acknowledged(r *bufio.Reader) error {
	b, err := r.ReadByte()
	if err != nil {
		return err
	}
	if b == 0 {
		return nil
	}
	text, _ := r.ReadString('\n')
	return refused(string(b) + text)
}

// refused says what the device's words mean. They are of files and rights,
// never of configuration.
func refused(text string) error {
	text = strings.TrimSpace(strings.TrimLeft(text, "\x01\x02"))
	if strings.Contains(strings.ToLower(text), "privilege denied") || strings.Contains(strings.ToLower(text), "permission denied") {
		return plugins.ErrNotPermitted
	}
	return fmt.Errorf("the device refuses the copy: %q", text)
}
