package session

import (
	"bytes"
	"regexp"
	"slices"
	"unicode/utf8"
)

// screen turns what a terminal shows into lines of text. It follows one line:
// carriage return, backspace and the escape sequences of ECMA-48 that move in
// a line or erase parts of it, which is what echoes, prompts and pagers use.
// CR LF, LF CR and CR CR LF end a line as LF does. Bytes stay as they are
// otherwise; NUL, BEL, DEL, shifts and flow control are dropped, as a terminal
// drops them.
//
// Blanks that were written over something only to erase it, and a pager's
// text, are weak: they disappear at the end of a line.
type screen struct {
	out  []byte // finished lines, each with its LF
	line []byte // the unterminated last line
	weak []bool // for each byte of line
	col  int    // where the next byte goes

	paged  bool // a pager stood on this line
	erased bool // and something began to erase it
	fresh  bool // CR was the last control: the next byte begins to overwrite

	state  escState
	params []byte
	bad    bool // something was printed that one line cannot follow
}

type escState uint8

const (
	escNone   escState = iota
	escStart           // ESC
	escInter           // ESC and intermediate bytes: one final byte to come
	escCSI             // ESC [
	escString          // OSC, DCS, SOS, PM, APC: up to ST or BEL
	escStringEsc
)

const (
	longestEscape = 4096    // bytes of a control string
	longestEdit   = 1 << 16 // bytes of a line that may still be edited in its middle
	mostInserted  = 64      // blanks inserted by one control sequence
)

// write takes what the device sent. The work is linear in p.
func (s *screen) write(p []byte) {
	for len(p) > 0 {
		if s.state == escNone && s.col == len(s.line) {
			// The common case: plain bytes at the end of the line.
			n := 0
			for n < len(p) && p[n] >= 0x20 && p[n] != 0x7f {
				n++
			}
			if n > 0 {
				s.line = append(s.line, p[:n]...)
				s.weak = slices.Grow(s.weak, n)[:len(s.line)]
				clear(s.weak[len(s.line)-n:])
				s.col, s.fresh = len(s.line), false
				p = p[n:]
				continue
			}
		}
		s.step(p[0])
		p = p[1:]
	}
}

func (s *screen) step(b byte) {
	switch s.state {
	case escStart:
		s.params = s.params[:0]
		switch {
		case b == '[':
			s.state = escCSI
		case b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_':
			s.state = escString
		case b >= 0x20 && b <= 0x2f:
			s.state = escInter
		case b == 'E' || b == 'D': // NEL, IND
			s.state = escNone
			s.endLine()
		default:
			s.state = escNone
		}
		return
	case escInter:
		if b < 0x20 || b > 0x2f {
			s.state = escNone
		}
		return
	case escCSI:
		s.csi(b)
		return
	case escString:
		s.params = append(s.params, b)
		switch {
		case b == 0x07 || b == 0x18 || b == 0x1a:
			s.state = escNone
		case b == 0x1b:
			s.state = escStringEsc
		case len(s.params) > longestEscape:
			s.state, s.bad = escNone, true
		}
		return
	case escStringEsc:
		s.state = escString
		if b == '\\' {
			s.state = escNone
		}
		return
	}
	switch b {
	case '\n':
		s.endLine()
	case '\r':
		s.col, s.fresh = 0, true
	case '\b':
		s.left(1)
	case 0x1b:
		s.state = escStart
	case 0x00, 0x07, 0x0e, 0x0f, 0x11, 0x13, 0x7f:
	default:
		s.put(b)
	}
}

// put writes one byte at the cursor.
func (s *screen) put(b byte) {
	if s.fresh && s.col < len(s.line) {
		// A line that is drawn anew from its beginning: blanks at its end
		// were there to erase.
		for i := len(s.line) - 1; i >= 0 && s.line[i] == ' ' && !s.weak[i]; i-- {
			s.weak[i] = true
		}
		s.erased = true
	}
	s.fresh = false
	switch {
	case s.col == len(s.line):
		s.line, s.weak = append(s.line, b), append(s.weak, false)
	case len(s.line) > longestEdit:
		s.bad = true
		return
	case !utf8.RuneStart(b): // the rest of a character that was begun here
		s.line = slices.Insert(s.line, s.col, b)
		s.weak = slices.Insert(s.weak, s.col, false)
	default:
		s.remove(s.col+1, s.continuation(s.col+1))
		s.line[s.col], s.weak[s.col] = b, b == ' '
	}
	s.col++
}

// continuation returns the index after the UTF-8 continuation bytes at i.
func (s *screen) continuation(i int) int {
	for i < len(s.line) && !utf8.RuneStart(s.line[i]) {
		i++
	}
	return i
}

func (s *screen) remove(from, to int) {
	if from < to {
		s.line = slices.Delete(s.line, from, to)
		s.weak = slices.Delete(s.weak, from, to)
	}
}

// left moves the cursor n characters back.
func (s *screen) left(n int) {
	s.erased = true
	for ; n > 0 && s.col > 0; n-- {
		s.col--
		for s.col > 0 && !utf8.RuneStart(s.line[s.col]) {
			s.col--
		}
		if s.line[s.col] == ' ' {
			s.weak[s.col] = true
		}
	}
}

func (s *screen) right(n int) {
	for ; n > 0 && s.col < len(s.line); n-- {
		s.col = s.continuation(s.col + 1)
	}
}

// csi takes a byte of a control sequence (ECMA-48 section 5.4).
func (s *screen) csi(b byte) {
	switch {
	case b == 0x18 || b == 0x1a: // cancelled
		s.state = escNone
		return
	case b == 0x1b:
		s.state = escStart
		return
	case b < 0x20: // acts as outside of the sequence
		if b == '\n' || b == '\r' || b == '\b' {
			s.state = escNone
			s.step(b)
		}
		return
	case b < 0x40:
		if s.params = append(s.params, b); len(s.params) > 64 {
			s.state, s.bad = escNone, true
		}
		return
	}
	s.state = escNone
	n := firstParam(s.params)
	if len(s.params) > 0 && s.params[0] >= '<' && s.params[0] <= '?' {
		return // private modes: no effect on text
	}
	switch b {
	case 'K', 'J': // erase in line, in display
		s.erased = true
		switch n {
		case 0:
			s.line, s.weak = s.line[:s.col], s.weak[:s.col]
		case 1:
			for i := range min(s.col+1, len(s.line)) {
				s.line[i], s.weak[i] = ' ', true
			}
		default:
			s.line, s.weak, s.col = s.line[:0], s.weak[:0], 0
		}
	case 'D':
		s.left(max(n, 1))
	case 'C':
		s.right(max(n, 1))
	case 'G', '`':
		s.col = 0
		s.right(n - 1)
	case 'H', 'f': // row and column: the row is taken to be this one
		s.col = 0
		if i := bytes.IndexByte(s.params, ';'); i >= 0 {
			s.right(firstParam(s.params[i+1:]) - 1)
		}
	case 'P':
		if len(s.line) > longestEdit {
			s.bad = true
			return
		}
		to := s.col
		for range max(n, 1) {
			if to < len(s.line) {
				to = s.continuation(to + 1)
			}
		}
		s.remove(s.col, to)
	case '@':
		// Few bytes must not make many.
		if n = max(n, 1); n > mostInserted || len(s.line) > longestEdit {
			s.bad = true
			return
		}
		s.line = slices.Insert(s.line, s.col, bytes.Repeat([]byte{' '}, n)...)
		s.weak = slices.Insert(s.weak, s.col, slices.Repeat([]bool{true}, n)...)
	case 'E': // next line
		s.endLine()
	}
}

// firstParam reads the first number, 0 if there is none.
func firstParam(p []byte) int {
	n := 0
	for _, b := range p {
		if b < '0' || b > '9' {
			break
		}
		if n = n*10 + int(b-'0'); n > longestEdit {
			return longestEdit
		}
	}
	return n
}

func (s *screen) endLine() {
	text := s.trimmed(0)
	if !s.paged || s.erased || len(text) > 0 {
		s.out = append(append(s.out, text...), '\n')
	}
	s.line, s.weak, s.col = s.line[:0], s.weak[:0], 0
	s.paged, s.erased, s.fresh = false, false, false
}

// tail is the unterminated last line. What stands before the cursor belongs to
// it, be it blanks over blanks: a prompt may end in one.
func (s *screen) tail() []byte { return s.trimmed(s.col) }

// trimmed is the line without the weak blanks at its end, but not shorter
// than least.
func (s *screen) trimmed(least int) []byte {
	n := len(s.line)
	for n > least && s.weak[n-1] {
		n--
	}
	return s.line[:n]
}

// pager takes a pager's text off the last line, if it stands there.
func (s *screen) pager(re *regexp.Regexp) bool {
	t := s.tail()
	if re == nil || len(t) == 0 || len(t) > longestPrompt {
		return false
	}
	m := re.FindIndex(t)
	if m == nil || m[0] == m[1] {
		return false
	}
	from := m[0]
	if len(bytes.TrimLeft(t[:from], " ")) == 0 {
		from = 0
	}
	for i := from; i < len(s.line); i++ {
		if i < m[1] || s.line[i] == ' ' {
			s.line[i], s.weak[i] = ' ', true
		}
	}
	s.paged, s.erased = true, false
	return true
}

// rewind forgets the finished lines, not the last one.
func (s *screen) rewind() { s.out, s.bad = nil, false }
