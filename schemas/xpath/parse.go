package xpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Compile parses an expression and binds its names.
func Compile(text string, names Names) (*Expr, error) {
	if len(text) > maxLength {
		return nil, &Error{1, "the expression is too long"}
	}
	p := &parser{names: names, functions: functions(), axes: axes()}
	if err := p.scan(text); err != nil {
		return nil, err
	}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, p.fail("%q is not expected here", t.text)
	}
	return &Expr{text: text, names: names, root: root}, nil
}

type tokenKind int8

const (
	tokenEnd tokenKind = iota
	tokenSymbol
	tokenOperator // and, or, div, mod, *
	tokenName     // QName, *, prefix:*
	tokenLiteral
	tokenNumber
)

type token struct {
	kind tokenKind
	text string
	at   int
}

type parser struct {
	names     Names
	functions map[string]signature
	axes      map[string]axis
	tokens    []token
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) peekAt(i int) token { return p.tokens[min(i, len(p.tokens)-1)] }

func (p *parser) take() token {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

func (p *parser) is(symbol string) bool {
	t := p.peek()
	return (t.kind == tokenSymbol || t.kind == tokenOperator) && t.text == symbol
}

func (p *parser) expect(symbol string) error {
	if !p.is(symbol) {
		return p.fail("%q is missing", symbol)
	}
	p.take()
	return nil
}

func (p *parser) fail(format string, args ...any) error {
	return &Error{p.peek().at, fmt.Sprintf(format, args...)}
}

func nameStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }

func nameRune(r rune) bool {
	return nameStart(r) || r == '-' || r == '.' || unicode.IsDigit(r) || unicode.Is(unicode.M, r)
}

func nameEnd(s string) int {
	for i, r := range s {
		if i == 0 && !nameStart(r) || !nameRune(r) {
			return i
		}
	}
	return len(s)
}

// scan splits the text into tokens, with the rules of XPath §3.7 for '*' and
// operator names.
func (p *parser) scan(text string) error {
	add := func(k tokenKind, s string, at int) { p.tokens = append(p.tokens, token{k, s, at + 1}) }
	operand := func() bool { // an operand came before: '*' and names are operators
		if len(p.tokens) == 0 {
			return false
		}
		t := p.tokens[len(p.tokens)-1]
		switch t.kind {
		case tokenOperator:
			return false
		case tokenSymbol:
			return t.text == ")" || t.text == "]" || t.text == "." || t.text == ".."
		}
		return true
	}
	for at := 0; at < len(text); {
		rest := text[at:]
		switch c := rest[0]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			at++
		case c == '"' || c == '\'':
			end := strings.IndexByte(rest[1:], c)
			if end < 0 {
				return &Error{at + 1, "a closing quote is missing"}
			}
			add(tokenLiteral, rest[1:end+1], at)
			at += end + 2
		case c >= '0' && c <= '9' || c == '.' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9':
			n := 0
			for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9') {
				n++
			}
			if n < len(rest) && rest[n] == '.' {
				for n++; n < len(rest) && (rest[n] >= '0' && rest[n] <= '9'); n++ {
				}
			}
			add(tokenNumber, rest[:n], at)
			at += n
		case c == '*':
			if operand() {
				add(tokenOperator, "*", at)
			} else {
				add(tokenName, "*", at)
			}
			at++
		case strings.ContainsRune("()[]@,|+-=/<>!.:", rune(c)):
			s := rest[:1]
			for _, two := range []string{"..", "//", "!=", "<=", ">=", "::"} {
				if strings.HasPrefix(rest, two) {
					s = two
				}
			}
			if s == "!" || s == ":" {
				return &Error{at + 1, fmt.Sprintf("%q is not expected here", s)}
			}
			k := tokenSymbol
			if strings.Contains(" | + - = != < <= > >= / // ", " "+s+" ") {
				k = tokenOperator
			}
			add(k, s, at)
			at += len(s)
		default:
			n := nameEnd(rest)
			if n == 0 {
				r, _ := utf8.DecodeRuneInString(rest)
				if r == '$' {
					return &Error{at + 1, "there are no variables in YANG"}
				}
				return &Error{at + 1, fmt.Sprintf("%q is not expected here", r)}
			}
			name := rest[:n]
			if operand() && (name == "and" || name == "or" || name == "div" || name == "mod") {
				add(tokenOperator, name, at)
				at += n
				continue
			}
			if n < len(rest) && rest[n] == ':' && !strings.HasPrefix(rest[n:], "::") {
				if m := nameEnd(rest[n+1:]); m > 0 {
					n += 1 + m
				} else if strings.HasPrefix(rest[n+1:], "*") {
					n += 2
				}
				name = rest[:n]
			}
			add(tokenName, name, at)
			at += n
		}
	}
	add(tokenEnd, "the end", len(text))
	return nil
}

// level parses left-associative operators of one precedence.
func (p *parser) level(depth int, next func(int) (node, error), ops ...string) (node, error) {
	left, err := next(depth)
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		op := ""
		for _, o := range ops {
			if p.is(o) {
				op = o
			}
		}
		if op == "" {
			return left, nil
		}
		if n > maxDepth {
			return nil, p.fail("the expression is too long")
		}
		p.take()
		right, err := next(depth)
		if err != nil {
			return nil, err
		}
		left = &binary{op, left, right}
	}
}

func (p *parser) or(depth int) (node, error) {
	if depth > maxDepth {
		return nil, p.fail("the expression is nested too deep")
	}
	return p.level(depth+1, p.and, "or")
}

func (p *parser) and(depth int) (node, error) { return p.level(depth, p.equality, "and") }

func (p *parser) equality(depth int) (node, error) {
	return p.level(depth, p.relational, "=", "!=")
}

func (p *parser) relational(depth int) (node, error) {
	return p.level(depth, p.additive, "<", "<=", ">", ">=")
}

func (p *parser) additive(depth int) (node, error) {
	return p.level(depth, p.multiplicative, "+", "-")
}

func (p *parser) multiplicative(depth int) (node, error) {
	return p.level(depth, p.unary, "*", "div", "mod")
}

func (p *parser) unary(depth int) (node, error) {
	n := 0
	for p.is("-") {
		p.take()
		n++
	}
	of, err := p.level(depth, p.path, "|")
	if err != nil || n == 0 {
		return of, err
	}
	if n%2 == 0 {
		return &negate{&negate{of}}, nil
	}
	return &negate{of}, nil
}

// path parses a location path or a filter expression with steps.
func (p *parser) path(depth int) (node, error) {
	t := p.peek()
	filter := t.kind == tokenLiteral || t.kind == tokenNumber || p.is("(") ||
		t.kind == tokenName && p.peekAt(1).text == "(" && p.peekAt(1).kind == tokenSymbol && !isNodeType(t.text)
	out := &path{}
	if filter {
		from, err := p.primary(depth)
		if err != nil {
			return nil, err
		}
		out.from = from
		if out.preds, err = p.predicates(depth); err != nil {
			return nil, err
		}
		if !p.is("/") && !p.is("//") {
			if len(out.preds) == 0 {
				return from, nil
			}
			return out, nil
		}
	} else if p.is("/") {
		p.take()
		out.absolute = true
		if !p.stepAhead() {
			return out, nil
		}
		return out, p.steps(out, depth)
	} else if p.is("//") {
		out.absolute = true
	}
	if out.absolute || filter {
		if p.is("//") {
			out.steps = append(out.steps, step{axis: axisDescendantOrSelf, test: testNode})
		}
		p.take()
	}
	return out, p.steps(out, depth)
}

func isNodeType(s string) bool {
	return s == "node" || s == "text" || s == "comment" || s == "processing-instruction"
}

func (p *parser) stepAhead() bool {
	return p.peek().kind == tokenName || p.is(".") || p.is("..") || p.is("@")
}

// steps parses step/step//step.
func (p *parser) steps(out *path, depth int) error {
	for {
		if len(out.steps) > maxDepth {
			return p.fail("the path is too long")
		}
		s, err := p.step(depth)
		if err != nil {
			return err
		}
		out.steps = append(out.steps, s)
		switch {
		case p.is("/"):
			p.take()
		case p.is("//"):
			p.take()
			out.steps = append(out.steps, step{axis: axisDescendantOrSelf, test: testNode})
		default:
			return nil
		}
	}
}

func (p *parser) step(depth int) (step, error) {
	var s step
	switch {
	case p.is("."):
		p.take()
		return step{axis: axisSelf, test: testNode}, nil
	case p.is(".."):
		p.take()
		return step{axis: axisParent, test: testNode}, nil
	case p.is("@"):
		p.take()
		s.axis = axisNone
	case p.peek().kind == tokenName && p.peekAt(1).text == "::":
		a, ok := p.axes[p.peek().text]
		if !ok {
			return s, p.fail("there is no axis %q", p.peek().text)
		}
		s.axis = a
		p.take()
		p.take()
	}
	t := p.peek()
	if t.kind != tokenName {
		return s, p.fail("%q stands where a name should", t.text)
	}
	if isNodeType(t.text) && p.peekAt(1).text == "(" {
		p.take()
		p.take()
		if p.peek().kind == tokenLiteral && t.text == "processing-instruction" {
			p.take()
		}
		if err := p.expect(")"); err != nil {
			return s, err
		}
		s.test = map[string]test{"node": testNode, "text": testText}[t.text]
		if s.test == testName {
			s.test = testNone
		}
	} else {
		name, err := p.bind(t.text)
		if err != nil {
			return s, err
		}
		s.name = name
		p.take()
	}
	var err error
	s.preds, err = p.predicates(depth)
	return s, err
}

// bind gives a name test its module.
func (p *parser) bind(text string) (Name, error) {
	if text == "*" {
		return Name{}, nil
	}
	prefix, local, ok := strings.Cut(text, ":")
	if !ok {
		return Name{p.names.Default, text}, nil
	}
	module, ok := p.names.Prefix(prefix)
	if !ok {
		return Name{}, p.fail("prefix %q is not that of this module or an import", prefix)
	}
	if local == "*" {
		local = ""
	}
	return Name{module, local}, nil
}

func (p *parser) predicates(depth int) ([]pred, error) {
	var out []pred
	for p.is("[") {
		p.take()
		e, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if err := p.expect("]"); err != nil {
			return nil, err
		}
		out = append(out, newPred(e))
	}
	return out, nil
}

func (p *parser) primary(depth int) (node, error) {
	t := p.take()
	switch t.kind {
	case tokenLiteral:
		return &literal{t.text}, nil
	case tokenNumber:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil && f == 0 {
			return nil, &Error{t.at, "not a number"}
		}
		return &digits{f}, nil
	case tokenSymbol: // "("
		e, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		return e, p.expect(")")
	}
	sig, ok := p.functions[t.text]
	if !ok {
		return nil, &Error{t.at, fmt.Sprintf("there is no function %q", t.text)}
	}
	c := &call{name: t.text}
	p.take() // "("
	for !p.is(")") {
		if len(c.args) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		a, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, a)
	}
	p.take()
	if len(c.args) < sig.least || sig.most >= 0 && len(c.args) > sig.most {
		return nil, &Error{t.at, fmt.Sprintf("function %s does not take %d arguments", t.text, len(c.args))}
	}
	return c, nil
}

// newPred recognises leaf = value, either way round.
func newPred(e node) pred {
	out := pred{expr: e}
	b, ok := e.(*binary)
	if !ok || b.op != "=" {
		return out
	}
	for _, o := range [][2]node{{b.left, b.right}, {b.right, b.left}} {
		p, ok := o[0].(*path)
		if !ok || p.absolute || p.from != nil || len(p.steps) != 1 {
			continue
		}
		s := p.steps[0]
		if s.axis != axisChild || s.test != testName || s.name.Local == "" || len(s.preds) > 0 || !independent(o[1]) {
			continue
		}
		out.leaf, out.value = s.name, o[1]
		break
	}
	return out
}

// independent reports whether an expression has the same string value whatever
// the context node is: a literal, or a path from current() or the root. Other
// types compare by other rules and are left to the evaluator.
func independent(n node) bool {
	switch n := n.(type) {
	case *literal:
		return true
	case *call:
		return n.name == "current"
	case *path:
		if n.from != nil {
			c, ok := n.from.(*call)
			if !ok || c.name != "current" || len(n.preds) > 0 {
				return false
			}
		} else if !n.absolute {
			return false
		}
		for _, s := range n.steps {
			for _, p := range s.preds {
				if p.value == nil {
					return false
				}
			}
		}
		return true
	}
	return false
}
