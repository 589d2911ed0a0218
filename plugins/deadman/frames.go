package deadman

import (
	"bytes"
	"fmt"
	"strconv"
)

// Frames is shell that defines f NAME COMMAND…, for scripts that read several
// things in one channel. It prints "@NAME", then what the command printed with
// "|" before each line, closed by "X" and the exit status. Content never begins
// a line, so nothing in it can look like a frame. A script ends with "echo @end".
const Frames = `LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH; ` +
	`f(){ echo "@$1"; shift; { "$@"; printf "X%s\n" "$?"; } | sed "s/^/|/"; }; `

// Piece is what one framed command printed, byte for byte, and its exit status.
type Piece struct {
	Data   []byte
	Status int
}

// Pieces are what a script of Frames read, by name.
type Pieces map[string]Piece

// OK reports whether the piece is there and its command ended with status 0.
func (p Pieces) OK(name string) bool {
	got, there := p[name]
	return there && got.Status == 0
}

// Text is the piece's data; empty if it is not there.
func (p Pieces) Text(name string) string { return string(p[name].Data) }

// Unframe reads what a script of Frames printed. Without the closing "@end" it
// returns what is whole, and an error that says where the answer stops.
func Unframe(text []byte) (Pieces, error) {
	p := Pieces{}
	var name string
	var body bytes.Buffer
	closeFrame := func() error {
		if name == "" {
			return nil
		}
		whole := bytes.TrimSuffix(body.Bytes(), []byte("\n"))
		at := bytes.LastIndexByte(whole, 'X')
		if at < 0 {
			return fmt.Errorf("the answer is cut in %q", name)
		}
		status, err := strconv.Atoi(string(whole[at+1:]))
		if err != nil {
			return fmt.Errorf("the answer is cut in %q", name)
		}
		if _, twice := p[name]; twice {
			return fmt.Errorf("the answer has %q twice", name)
		}
		p[name] = Piece{bytes.Clone(whole[:at]), status}
		return nil
	}
	for line := range bytes.Lines(text) {
		switch line[0] {
		case '@':
			if err := closeFrame(); err != nil {
				return p, err
			}
			body.Reset()
			if name = string(bytes.TrimSuffix(line[1:], []byte("\n"))); name == "end" && line[len(line)-1] == '\n' {
				return p, nil
			}
		case '|':
			body.Write(line[1:])
		default:
			return p, fmt.Errorf("the answer is not framed after %q", name)
		}
	}
	return p, fmt.Errorf("the answer is cut in %q", name)
}
