package statements

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Statement is one statement of a configuration.
type Statement struct {
	Text  string   // without indentation: "ip address 10.0.0.1/24"
	Key   string   // what a later statement of the same key replaces: "ip address"
	Mode  string   // mode of the block it opens; "" for a plain statement
	Body  []string // of a banner or certificate: its text
	Inner []*Statement
}

// Config is a configuration: what running, startup and session
// configurations are made of.
type Config struct {
	Top []*Statement
}

// Clone returns a deep copy.
func (c *Config) Clone() *Config { return &Config{cloneStatements(c.Top)} }

func cloneStatements(list []*Statement) []*Statement {
	out := make([]*Statement, len(list))
	for i, s := range list {
		n := *s
		n.Inner = cloneStatements(s.Inner)
		out[i] = &n
	}
	return out
}

// Find returns the top-level statement with the key, or nil.
func (c *Config) Find(key string) *Statement { return FindIn(c.Top, key) }

// FindIn returns the statement of a block with the key, or nil.
func FindIn(list []*Statement, key string) *Statement {
	for _, s := range list {
		if s.Key == key {
			return s
		}
	}
	return nil
}

// put adds a statement or replaces the one with its key, in its place. The
// body of a block that is entered again stays.
func put(list *[]*Statement, s *Statement) *Statement {
	for i, old := range *list {
		if old.Key != s.Key {
			continue
		}
		if s.Mode != "" && old.Text == s.Text {
			return old
		}
		(*list)[i] = s
		return s
	}
	*list = append(*list, s)
	return s
}

// Order is where a device keeps each kind of top-level statement, and which
// kinds stand together without a "!" between them. Releases differ in both;
// the order of the configuration the device was made from goes first.
type Order struct {
	d      *Dialect
	rank   map[string]int
	joined map[[2]string]bool
}

func newOrder(d *Dialect, sample []*Statement) *Order {
	o := &Order{d: d, rank: map[string]int{}, joined: map[[2]string]bool{}}
	var order []string
	for _, s := range sample {
		if g := d.section(s); !slices.Contains(order, g) {
			order = append(order, g)
		}
	}
	for i, g := range d.Sections {
		if slices.Contains(order, g) {
			continue
		}
		at := 0
		for j := i - 1; j >= 0; j-- {
			if k := slices.Index(order, d.Sections[j]); k >= 0 {
				at = k + 1
				break
			}
		}
		order = slices.Insert(order, at, g)
	}
	for i, g := range order {
		o.rank[g] = i
	}
	return o
}

func (o *Order) of(s *Statement) int {
	if r, ok := o.rank[o.d.section(s)]; ok {
		return r
	}
	return o.rank[o.d.Unknown] // unknown kinds stand before one that is
}

// Render prints the configuration as the device shows it, from the first
// statement to "end".
func (o *Order) Render(c *Config) string {
	top := slices.Clone(c.Top)
	slices.SortStableFunc(top, func(a, b *Statement) int {
		if c := cmp.Compare(o.of(a), o.of(b)); c != 0 {
			return c
		}
		if c := cmp.Compare(o.d.section(a), o.d.section(b)); c != 0 {
			return c
		}
		if slices.Contains(o.d.Sorted, o.d.section(a)) {
			return o.d.naturalCompare(strings.TrimPrefix(a.Text, "no "), strings.TrimPrefix(b.Text, "no "))
		}
		return 0
	})
	var b strings.Builder
	for i, s := range top {
		if i > 0 {
			before := top[i-1]
			together := o.d.section(before) == o.d.section(s) || o.joined[[2]string{o.d.section(before), o.d.section(s)}]
			if !together || before.Mode != "" || before.Body != nil || s.Mode != "" {
				b.WriteString(o.d.Separator + "\n")
			}
		}
		o.d.render(&b, s, 0)
	}
	if len(top) > 0 {
		b.WriteString(o.d.Separator + "\n")
	}
	b.WriteString(o.d.End)
	return b.String()
}

func (d *Dialect) render(b *strings.Builder, s *Statement, depth int) {
	indent := strings.Repeat(d.Indent, depth)
	if s.Body != nil && d.Print != nil {
		b.WriteString(d.Print(indent, s))
	} else {
		b.WriteString(indent + s.Text + "\n")
		for _, l := range s.Body {
			b.WriteString(l + "\n")
		}
	}
	for _, k := range s.Inner {
		if k.Mode == "" {
			d.render(b, k, depth+1)
		}
	}
	first := true
	for _, k := range s.Inner {
		if k.Mode != "" {
			if d.Inside != "" && (!first || slices.ContainsFunc(s.Inner, func(x *Statement) bool { return x.Mode == "" })) {
				b.WriteString(indent + d.Indent + d.Inside + "\n")
			}
			first = false
			d.render(b, k, depth+1)
		}
	}
	if d.Close != nil {
		if end := d.Close(s); end != "" {
			b.WriteString(indent + end + "\n")
		}
	}
}

// naturalCompare compares text with its numbers as numbers, so that Ethernet2
// comes before Ethernet10 and 10.0.0.9 before 10.0.0.10.
func (d *Dialect) naturalCompare(a, b string) int {
	for a != "" && b != "" {
		na, ra := digits(a)
		nb, rb := digits(b)
		if na != "" && nb != "" {
			x, _ := strconv.Atoi(na)
			y, _ := strconv.Atoi(nb)
			if c := cmp.Compare(x, y); c != 0 {
				return c
			}
			a, b = ra, rb
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(d.rank(a), d.rank(b))
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// rank puts one kind of interface before the others and leaves all else in the
// order of its first byte.
func (d *Dialect) rank(s string) int {
	if d.First != "" && strings.HasPrefix(s, d.First) {
		return 0
	}
	return 1 + int(s[0])
}

func digits(s string) (number, rest string) {
	i := 0
	for i < len(s) && i < 9 && unicode.IsDigit(rune(s[i])) {
		i++
	}
	return s[:i], s[i:]
}

// One prints a single statement with what is below it, each line indented.
func (o *Order) One(s *Statement, indent string) string {
	var b strings.Builder
	o.d.render(&b, s, 0)
	if indent == "" {
		return b.String()
	}
	return indent + strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\n", "\n"+indent) + "\n"
}
