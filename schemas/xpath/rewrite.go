package xpath

import "strings"

// Rewrite returns an expression with other prefixes: each prefix of a name, and of
// an identity that derived-from or derived-from-or-self is asked about, becomes
// what to returns for it. It fails with an *Error if the text is no expression, or
// to does not know a prefix. Names without a prefix stay as they are.
func Rewrite(text string, to func(prefix string) (string, bool)) (string, error) {
	if _, err := Compile(text, Names{Prefix: to}); err != nil {
		return "", err
	}
	p := &parser{}
	if err := p.scan(text); err != nil {
		return "", err
	}
	var out strings.Builder
	done := 0
	replace := func(at int, name string) bool { // at is its first byte
		prefix, _, ok := strings.Cut(name, ":")
		if !ok {
			return true
		}
		other, ok := to(prefix)
		if ok {
			out.WriteString(text[done:at])
			out.WriteString(other)
			done = at + len(prefix)
		}
		return ok
	}
	var calls []string // the functions around
	for i, t := range p.tokens {
		next := p.peekAt(i + 1)
		switch {
		case t.kind == tokenSymbol && t.text == "(":
			name := ""
			if i > 0 && p.tokens[i-1].kind == tokenName {
				name = p.tokens[i-1].text
			}
			calls = append(calls, name)
		case t.kind == tokenSymbol && t.text == ")":
			calls = calls[:len(calls)-1]
		case t.kind == tokenName:
			replace(t.at-1, t.text)
		case t.kind == tokenLiteral && len(calls) > 0 && strings.HasPrefix(calls[len(calls)-1], "derived-from") && next.text == ")" && p.tokens[i-1].text == ",":
			if !replace(t.at, t.text) {
				return "", &Error{t.at, "the prefix of the identity is not known"}
			}
		}
	}
	out.WriteString(text[done:])
	return out.String(), nil
}
