package schemas

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// lexer goes over a module's text before goyang's parser does: it bounds what
// that parser recurses into, refuses what it lets through although RFC 7950 §6
// does not, and mends the two things that it reads otherwise.
type lexer struct {
	in    string
	at    int
	depth int
	v1    bool // YANG version 1, as far as the text has been read

	out   strings.Builder // the text up to copied, if anything had to be mended
	done  int             // how much of in is in out
	mends []int           // where something was inserted
	err   string
	bad   int // where that is
}

// lexical returns the text as goyang should read it, and before which bytes of
// the one given a character was inserted. at is where the fault is, if there is
// one.
func lexical(text string) (mended string, mends []int, at int, fault string) {
	l := &lexer{in: text, v1: true}
	for l.at < len(l.in) && l.err == "" {
		l.token()
	}
	if l.err != "" {
		return "", nil, l.bad, l.err
	}
	if l.done == 0 {
		return text, nil, 0, ""
	}
	l.out.WriteString(l.in[l.done:])
	return l.out.String(), l.mends, 0, ""
}

func (l *lexer) fail(format string, args ...any) {
	l.err, l.bad = fmt.Sprintf(format, args...), l.at
}

// insert puts s before the byte at i.
func (l *lexer) insert(i int, s string) {
	l.out.WriteString(l.in[l.done:i])
	l.out.WriteString(s)
	l.done = i
	l.mends = append(l.mends, i)
}

// char takes one character, which §14 (yang-char) must allow.
func (l *lexer) char() {
	if l.err != "" {
		return
	}
	c := l.in[l.at]
	if c < utf8.RuneSelf {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
			l.fail("the character U+%04X is not allowed in a module", c)
		}
		l.at++
		return
	}
	r, n := utf8.DecodeRuneInString(l.in[l.at:])
	if !yangChar(r) {
		l.fail("the character U+%04X is not allowed in a module", r)
	}
	l.at += n
}

// plain takes characters up to one that needs a closer look: a control
// character, one that is not ASCII, or one of stop.
func (l *lexer) plain(stop string) {
	for l.at < len(l.in) {
		c := l.in[l.at]
		if c < 0x20 || c >= utf8.RuneSelf || c == stop[0] || c == stop[1] {
			return
		}
		l.at++
	}
}

func (l *lexer) ahead(s string) bool { return strings.HasPrefix(l.in[l.at:], s) }

func (l *lexer) token() {
	switch c := l.in[l.at]; c {
	case ' ', '\t', ';':
		l.at++
	case '\n', '\r':
		l.char()
	case '{':
		if l.depth++; l.depth > maxStmtDepth {
			l.fail("statements are nested more than %d deep", maxStmtDepth)
		}
		l.at++
	case '}':
		l.depth--
		l.at++
	case '"', '\'':
		l.quoted(c)
	default:
		switch {
		case l.ahead("//"):
			for l.plain("\n\n"); l.at < len(l.in) && l.in[l.at] != '\n' && l.err == ""; l.plain("\n\n") {
				l.char()
			}
		case l.ahead("/*"):
			end := strings.Index(l.in[l.at+2:], "*/")
			if end < 0 {
				l.fail("a comment has no end")
				return
			}
			for end += l.at + 4; l.at < end && l.err == ""; {
				l.char()
			}
		default:
			l.unquoted()
		}
	}
}

// quoted reads a quoted string. In version 1 a backslash before any other
// character than n, t, " and \ stands for itself; 1.1 forbids it (RFC 7950
// §1.1), and goyang always does.
func (l *lexer) quoted(q byte) {
	start := l.at
	stop := string([]byte{q, '\\'})
	for l.at++; ; {
		l.plain(stop)
		if l.at >= len(l.in) {
			l.at = start
			l.fail("a closing %c is missing", q)
			return
		}
		c := l.in[l.at]
		if c == q {
			l.at++
			break
		}
		if c == '\\' && q == '"' && l.at+1 < len(l.in) {
			if next := l.in[l.at+1]; !strings.ContainsRune(`nt"\`, rune(next)) {
				if !l.v1 {
					l.fail(`an escape is none of \n, \t, \" and \\`)
					return
				}
				l.insert(l.at, `\`)
			}
			l.at++
		}
		if l.at < len(l.in) {
			l.char()
		}
		if l.err != "" {
			return
		}
	}
	if l.at < len(l.in) && !strings.ContainsRune(" \t\r\n;{}+", rune(l.in[l.at])) && !l.ahead("//") && !l.ahead("/*") {
		l.fail("a blank is missing after a quoted string")
	}
}

// unquoted reads a keyword or an unquoted string, which ends where a comment
// begins (§6.1.3); goyang would make the comment part of it.
func (l *lexer) unquoted() {
	start := l.at
	for l.at < len(l.in) && l.err == "" {
		switch c := l.in[l.at]; c {
		case ' ', '\t', '\r', '\n', ';', '{', '}':
			l.version(l.in[start:l.at])
			return
		case '"', '\'':
			if l.in[start:l.at] != "+" {
				l.fail("a quote stands in an unquoted string, or a blank is missing before it")
			}
			return
		case '/', '*':
			switch {
			case l.ahead("//") || l.ahead("/*"):
				l.insert(l.at, " ")
				return
			case l.ahead("*/"):
				l.fail("a comment ends that did not begin")
				return
			}
			l.at++
		default:
			if c > 0x20 && c < utf8.RuneSelf {
				l.at++
			} else {
				l.char()
			}
		}
	}
}

// version notes what a yang-version statement at the top says.
func (l *lexer) version(word string) {
	if word == "yang-version" && l.depth == 1 {
		rest := strings.TrimLeft(l.in[l.at:], " \t\r\n\"'")
		l.v1 = !strings.HasPrefix(rest, "1.1")
	}
}
