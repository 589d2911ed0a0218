package schemas

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// text reads character data up to the next tag.
func (s *xmlScanner) text() (string, error) {
	start := s.at
	n := strings.IndexByte(s.in[start:], '<')
	if n < 0 {
		n = len(s.in) - start
	}
	raw := s.in[start : start+n]
	s.at = start + n
	plain := true
	for i := 0; i < len(raw); i++ {
		if c := raw[i]; c < 0x20 && c != '\n' && c != '\t' || c == '&' || c == ']' || c == 0xEF {
			plain = false
			break
		}
	}
	if plain {
		return raw, nil
	}
	if i := strings.Index(raw, "]]>"); i >= 0 {
		return "", s.fail(start+i, "]]> is not allowed in text")
	}
	if !strings.Contains(raw, "&") {
		return normalEnds(raw), s.checkChars(raw, start)
	}
	return s.references(normalEnds(raw), start)
}

// normalEnds makes all line ends those of XML (§2.11).
func normalEnds(s string) string {
	if !strings.Contains(s, "\r") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// references replaces entities and character references.
func (s *xmlScanner) references(raw string, offset int) (string, error) {
	if err := s.checkChars(raw, offset); err != nil {
		return "", err
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(raw, '&')
		if i < 0 {
			b.WriteString(raw)
			return b.String(), nil
		}
		b.WriteString(raw[:i])
		end := strings.IndexByte(raw[i:], ';')
		if end < 0 || end > 12 {
			return "", s.fail(offset, "an & that begins no entity must be written &amp;")
		}
		ref := raw[i+1 : i+end]
		raw = raw[i+end+1:]
		switch ref {
		case "lt":
			b.WriteByte('<')
		case "gt":
			b.WriteByte('>')
		case "amp":
			b.WriteByte('&')
		case "apos":
			b.WriteByte('\'')
		case "quot":
			b.WriteByte('"')
		default:
			r, ok := charReference(ref)
			if !ok {
				return "", s.fail(offset, "there is no entity &%s;", clip(ref))
			}
			b.WriteRune(r)
		}
	}
}

func charReference(ref string) (rune, bool) {
	digits, base := "", 10
	if d, ok := strings.CutPrefix(ref, "#x"); ok {
		digits, base = d, 16
	} else if d, ok := strings.CutPrefix(ref, "#"); ok {
		digits = d
	}
	if digits == "" || digits[0] == '+' || digits[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune || !xmlChar(rune(n)) {
		return 0, false
	}
	return rune(n), true
}

// xmlChar reports whether XML allows a character (§2.2).
func xmlChar(c rune) bool {
	return c == '\t' || c == '\n' || c == '\r' || c >= 0x20 && c <= 0xD7FF || c >= 0xE000 && c <= 0xFFFD || c >= 0x10000 && c <= 0x10FFFF
}

func (s *xmlScanner) checkChars(raw string, offset int) error {
	for i, c := range raw {
		if !xmlChar(c) {
			return s.fail(offset+i, "the character U+%04X is not allowed in XML", c)
		}
	}
	return nil
}
