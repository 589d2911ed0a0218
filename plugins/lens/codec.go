package lens

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Codec turns words of a statement into canonical values and back. Values are
// string, int64 and bool, and []any of these for the entries of a leaf-list.
// Read answers false for text that is not of its kind; Write for a value that
// the statement cannot express. Read(Write(v)) = v. A codec that writes "" only
// looks at the value: the row is written where it can be, without a word for it.
type Codec struct {
	Words  int      // how many words it takes: 0 means 1, Rest the rest of the line, Some as many as Take says
	Parts  []string // names of the values, if there is more than one
	Secret bool     // the text is hidden in headings, the value in losses
	Domain []any    // every value there is, where these are few

	// Take, with Words = Some, says how many of the words that follow belong
	// to it; 0 for none, which is no match.
	Take func(words []syntax.Word) int

	Read  func(text string) ([]any, bool)
	Write func(values []any) (string, bool)
}

// Rest as Codec.Words takes the rest of the line, blanks inside included; Some
// takes what Codec.Take says, joined by single blanks.
const (
	Rest = -1
	Some = -2
)

// Builtin returns the codecs that every table has, by name:
//
//	word                one word of up to 255 characters
//	name                one word that is no number and no address
//	host-name           one word of up to 253 characters
//	domain              a domain name
//	line                the rest of the line
//	text                one word that may hold blanks and newlines, for tables that quote
//	value               the value of an attribute of a record, whatever it is
//	ip ip4 ip6          an address in its canonical form (RFC 5952)
//	zoned               an address that may have a zone, "fe80::1%eth0"
//	prefix prefix4 prefix6   a prefix, host bits cleared
//	if4 if6             "address/length" with host bits; parts ip, length
//	mask4               "address mask" (two words); parts ip, length
//	net-mask4           "network mask" as a prefix
//	wild4               "network wildcard" as a prefix
//	quad                a dotted quad
//	area                an OSPF area, number or dotted quad, as dotted quad
//	asn                 an AS number, plain or dotted (RFC 5396), as plain
//	mac                 a hardware address in any vendor's form, as aa:bb:…
//	vlans               "1-9,11" as a list of numbers and ranges
//	family-prefix       a prefix; parts family ("ipv4", "ipv6") and prefix
//	secret              one word that is a secret
//	secret-line         the rest of the line, a secret
//	secret-text         as text, a secret
//	none                no word at all: never matches
//	1..4094             a whole number between these
//	one-of=a|b>c        one of these words; "b>c" is b in the text and c in the tree
func Builtin() map[string]Codec {
	return map[string]Codec{
		"word":        Word(nil).Max(255),
		"name":        Word(func(s string) bool { return !isNumber(s) && !isAddress(s) }).Max(255),
		"host-name":   Word(nil).Max(253),
		"domain":      Word(isDomain),
		"line":        Line(),
		"text":        Text(),
		"value":       Value(),
		"ip":          address(0, false),
		"ip4":         address(4, false),
		"ip6":         address(6, false),
		"zoned":       address(0, true),
		"prefix":      prefix(0),
		"prefix4":     prefix(4),
		"prefix6":     prefix(6),
		"if4":         interfaceAddress(4),
		"if6":         interfaceAddress(6),
		"mask4":       masked(false),
		"net-mask4":   network(false),
		"wild4":       network(true),
		"quad":        address(4, false),
		"area":        area(),
		"asn":         asn(),
		"mac":         mac(),
		"vlans":       vlans(),
		"secret":      secret(Word(nil).Max(255)),
		"secret-line": secret(Line()),
		"secret-text": secret(Text()),
	}
}

func secret(c Codec) Codec {
	c.Secret = true
	return c
}

// One is the Read result of a single value.
func One(v any) ([]any, bool) { return []any{v}, true }

// Word makes a codec of one word that passes ok.
func Word(ok func(string) bool) Codec {
	good := func(s string) bool {
		return s != "" && !strings.ContainsAny(s, " \t\r\n\x00") && Storable(s) && (ok == nil || ok(s))
	}
	return Codec{
		Read: func(s string) ([]any, bool) { return []any{s}, good(s) },
		Write: func(v []any) (string, bool) {
			s, is := v[0].(string)
			return s, is && good(s)
		},
	}
}

// Line makes a codec of the rest of the line. Blanks at either end are not
// part of the value.
func Line() Codec {
	return Codec{
		Words: Rest,
		Read: func(s string) ([]any, bool) {
			return []any{s}, s != "" && !strings.ContainsAny(s, "\n\r") && Storable(s)
		},
		Write: func(v []any) (string, bool) {
			s, is := v[0].(string)
			return s, is && s != "" && s == strings.Trim(s, " \t\r") && !strings.ContainsAny(s, "\n\r") && Storable(s)
		},
	}
}

// Text makes a codec of one quoted word that may hold blanks and newlines.
func Text() Codec {
	good := func(s string) bool { return s != "" && Storable(s) && !strings.Contains(s, "\r") }
	return Codec{
		Read: func(s string) ([]any, bool) { return []any{s}, good(s) },
		Write: func(v []any) (string, bool) {
			s, is := v[0].(string)
			return s, is && good(s)
		},
	}
}

// Value makes a codec of the value of a record's attribute, which may be empty
// and may hold anything that a leaf can.
func Value() Codec {
	good := func(s string) bool { return Storable(s) && !strings.Contains(s, several) }
	return Codec{
		Read: func(s string) ([]any, bool) { return []any{s}, good(s) },
		Write: func(v []any) (string, bool) {
			s, is := v[0].(string)
			return s, is && good(s)
		},
	}
}

// Storable reports whether a YANG string can hold s (RFC 7950 §9.4).
func Storable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return true
}

// Int makes a codec of whole numbers from lo to hi, without sign or leading
// zeros when written.
func Int(lo, hi int64) Codec {
	return Codec{
		Read: func(s string) ([]any, bool) {
			if !isNumber(s) {
				return nil, false
			}
			n, err := strconv.ParseInt(s, 10, 64)
			return []any{n}, err == nil && lo <= n && n <= hi
		},
		Write: func(v []any) (string, bool) {
			n, is := v[0].(int64)
			return strconv.FormatInt(n, 10), is && lo <= n && n <= hi
		},
	}
}

// OneOf makes a codec of fixed words; "text>tree" is written as text and kept
// in the tree as tree, a string. Of several texts for one value the first is written.
// Texts may be of two words if all of them are.
func OneOf(words ...string) Codec {
	read, write := map[string]any{}, map[any]string{}
	count := 0
	var domain []any
	for _, w := range words {
		text, value, ok := strings.Cut(w, ">")
		if !ok {
			value = text
		}
		v := any(value)
		read[text] = v
		if _, ok := write[v]; !ok {
			write[v] = text
			domain = append(domain, v)
		}
		count = strings.Count(text, " ") + 1
	}
	return Codec{
		Words: count, Domain: domain,
		Read: func(s string) ([]any, bool) {
			v, ok := read[s]
			return []any{v}, ok
		},
		Write: func(v []any) (string, bool) {
			s, ok := write[v[0]]
			return s, ok
		},
	}
}

// Or makes a codec that reads as the first of several that can, and writes as
// the first that can. All have the same number of words and parts.
func Or(codecs ...Codec) Codec {
	out := codecs[0]
	out.Read = func(s string) ([]any, bool) {
		for _, c := range codecs {
			if v, ok := c.Read(s); ok {
				return v, true
			}
		}
		return nil, false
	}
	out.Write = func(v []any) (string, bool) {
		for _, c := range codecs {
			if s, ok := c.Write(v); ok {
				return s, true
			}
		}
		return "", false
	}
	return out
}

func isNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Assignments splits "key = value" into the words key, "=" and those of the
// value, whether or not blanks stand around the equals sign. A statement
// without one is split at blanks.
func Assignments(buf []syntax.Word, statement string) []syntax.Word {
	key, value, ok := syntax.KeyValue(statement)
	if !ok || strings.HasPrefix(key.Text, "[") {
		return syntax.Words(buf, statement)
	}
	if key.Text != "" {
		buf = append(buf, key)
	}
	buf = append(buf, syntax.Word{Text: "=", At: value.At})
	from := len(buf)
	buf = syntax.Words(buf, statement[value.At:])
	for i := from; i < len(buf); i++ {
		buf[i].At += value.At
	}
	return buf
}

// With makes a codec of one word that is brought into a canonical form first.
func (c Codec) With(canonical func(string) (string, bool)) Codec {
	read, write := c.Read, c.Write
	c.Read = func(s string) ([]any, bool) {
		s, ok := canonical(s)
		if !ok {
			return nil, false
		}
		return read(s)
	}
	c.Write = func(v []any) (string, bool) {
		s, _ := v[0].(string)
		if same, ok := canonical(s); !ok || same != s {
			return "", false
		}
		return write(v)
	}
	return c
}

// Max makes a codec that refuses strings of more than n characters.
func (c Codec) Max(n int) Codec {
	read, write := c.Read, c.Write
	fits := func(v []any) bool {
		s, _ := v[0].(string)
		return utf8.RuneCountInString(s) <= n
	}
	c.Read = func(s string) ([]any, bool) {
		v, ok := read(s)
		return v, ok && fits(v)
	}
	c.Write = func(v []any) (string, bool) {
		s, ok := write(v)
		return s, ok && fits(v)
	}
	return c
}

// isDomain accepts what RFC 1034 does, and the underscore of service names.
func isDomain(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || strings.ContainsAny(label[len(label)-1:], "-_") {
			return false
		}
	}
	return len(s) <= 253
}
