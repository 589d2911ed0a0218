package device

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Files are the files that a device gives and takes by the names its own
// commands use ("flash:backup.cfg"). Errors are shown to the other side;
// fs.ErrNotExist is a missing file.
type Files interface {
	ReadFile(name string) ([]byte, error)
	WriteFile(name string, data []byte) error
}

// maxFile bounds what a copy may bring.
const maxFile = 64 << 20

// SCP serves the commands "scp -f NAME" and "scp -t NAME" for one file, in the
// protocol of OpenSSH's scp before it moved to SFTP: a control line, the bytes,
// and a status byte, each acknowledged. Recursive copies are refused.
func (p *Process) SCP(files Files) (status int) {
	r := bufio.NewReader(p.In)
	words := strings.Fields(p.Arg)
	name := words[len(words)-1]
	var to, from bool
	for _, w := range words[1 : len(words)-1] {
		to = to || strings.HasPrefix(w, "-") && strings.Contains(w, "t")
		from = from || strings.HasPrefix(w, "-") && strings.Contains(w, "f")
	}
	var err error
	switch {
	case to && !from:
		err = p.scpSink(r, files, name)
	case from && !to:
		err = p.scpSource(r, files, name)
	default:
		err = errors.New("unsupported options")
	}
	if err != nil {
		fmt.Fprintf(p.Out, "\x01scp: %s: %v\n", name, err)
		return 1
	}
	return 0
}

func (p *Process) acknowledge() error {
	_, err := p.Out.Write([]byte{0})
	return err
}

func acknowledged(r *bufio.Reader) error {
	b, err := r.ReadByte()
	if err != nil {
		return err
	}
	if b != 0 {
		text, _ := r.ReadString('\n')
		return fmt.Errorf("the other side says: %s", strings.TrimSpace(text))
	}
	return nil
}

func (p *Process) scpSink(r *bufio.Reader, files Files, name string) error {
	if err := p.acknowledge(); err != nil {
		return err
	}
	for {
		line, err := r.ReadString('\n')
		switch {
		case err == io.EOF && line == "":
			return nil
		case err != nil:
			return err
		case line[0] == 'T': // times, which no simulated file has
			if err := p.acknowledge(); err != nil {
				return err
			}
			continue
		case line[0] == 0x01 || line[0] == 0x02:
			return errors.New(strings.TrimSpace(line[1:]))
		case line[0] != 'C':
			return errors.New("protocol error")
		}
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if len(f) != 3 {
			return errors.New("protocol error")
		}
		n, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil || n < 0 || n > maxFile {
			return errors.New("size not acceptable")
		}
		if err := p.acknowledge(); err != nil {
			return err
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(r, data); err != nil {
			return err // a copy that was cut leaves no file
		}
		if err := acknowledged(r); err != nil {
			return err
		}
		to := name
		if strings.HasSuffix(to, ":") || strings.HasSuffix(to, "/") {
			to += path.Base(f[2])
		}
		if err := files.WriteFile(to, data); err != nil {
			return err
		}
		if err := p.acknowledge(); err != nil {
			return err
		}
	}
}

func (p *Process) scpSource(r *bufio.Reader, files Files, name string) error {
	if err := acknowledged(r); err != nil {
		return err
	}
	data, err := files.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("No such file or directory")
	} else if err != nil {
		return err
	}
	base := name[strings.LastIndexAny(name, ":/")+1:]
	fmt.Fprintf(p.Out, "C0644 %d %s\n", len(data), base)
	if err := acknowledged(r); err != nil {
		return err
	}
	if _, err := p.Out.Write(append(data[:len(data):len(data)], 0)); err != nil {
		return err
	}
	return acknowledged(r)
}
