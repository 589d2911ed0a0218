package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes text from outside fit for a terminal: control characters and
// other unprintable ones are shown as \x1b or �, newlines and tabs stay.
// Device text never reaches a terminal raw (design §9).
func clean(s string) string {
	if printable(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				fmt.Fprintf(&b, `\x%02x`, s[i])
			} else {
				b.WriteRune(r)
			}
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsGraphic(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func printable(s string) bool {
	for _, r := range s {
		if r != '\n' && r != '\t' && (r == utf8.RuneError || !unicode.IsGraphic(r)) {
			return false
		}
	}
	return true
}

// table prints rows in columns, the last one unpadded.
func table(w io.Writer, rows [][]string) {
	var width []int
	for r, row := range rows {
		rows[r] = make([]string, len(row))
		for i, cell := range row {
			cell = strings.ReplaceAll(clean(cell), "\n", " ")
			rows[r][i] = cell
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var all strings.Builder // one write, however long the table is
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", max(0, width[i]-utf8.RuneCountInString(cell))+2))
			}
		}
		all.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
	_, _ = io.WriteString(w, all.String())
}
