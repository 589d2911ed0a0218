package schemas

import (
	"io"
	"strings"
	"unicode/utf8"
)

// window is the part of an input that a parser sees when the whole is not in
// memory. Values are parts of it, so each one is a string of its own.
type window struct {
	from io.Reader
	size int // bytes wanted at least
	end  bool
	cut  string // the beginning of a character whose rest was not read yet
}

const windowSize = 256 << 10

// more returns rest with at least n bytes more behind it, fewer only at the end
// of the input.
func (w *window) more(rest string, n int) (string, error) {
	var b strings.Builder
	b.Grow(len(rest) + len(w.cut) + n)
	b.WriteString(rest)
	b.WriteString(w.cut)
	w.cut = ""
	got, err := io.CopyN(&b, w.from, int64(n))
	switch {
	case err == io.EOF:
		w.end = true
	case err != nil:
		return "", err
	}
	out := b.String()
	if !w.end {
		// A character that the next piece ends is not looked at before.
		for back := 1; back < utf8.UTFMax && back <= int(got); back++ {
			at := len(out) - back
			if utf8.RuneStart(out[at]) {
				if !utf8.FullRuneInString(out[at:]) {
					out, w.cut = out[:at], out[at:]
				}
				break
			}
		}
	}
	if !utf8.ValidString(out[len(rest):]) {
		return "", errWhole
	}
	return out, nil
}
