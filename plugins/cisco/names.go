package cisco

import (
	"regexp"
	"strconv"
	"strings"
)

// Kind is one kind of interface of a platform.
type Kind struct {
	Name string // as the device prints it in full: "GigabitEthernet"
	Type string // identity of cfgvault-interfaces without its prefix; "" if the tree has none
}

// Kinds are the kinds of interface of a platform. Of two that begin with the
// same letters the more usual stands first: it is what an abbreviation means.
type Kinds []Kind

var number = regexp.MustCompile(`^([A-Za-z][A-Za-z-]*?) ?((?:RS?P?)?\d[\w/]*)((?:\.\d+)?)((?::\d+)?)$`)

// Canonical is the full name of an interface, "GigabitEthernet0/1" for
// "gi0/1". An abbreviation has two letters or more.
func (k Kinds) Canonical(s string) (string, bool) {
	if len(s) < 3 || len(s) > 64 {
		return "", false
	}
	m := number.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	for _, kind := range k {
		if strings.EqualFold(kind.Name, m[1]) {
			return kind.Name + m[2] + m[3] + m[4], true
		}
	}
	if len(m[1]) < 2 {
		return "", false
	}
	low := strings.ToLower(m[1])
	for _, kind := range k {
		if strings.HasPrefix(strings.ToLower(kind.Name), low) {
			return kind.Name + m[2] + m[3] + m[4], true
		}
	}
	return "", false
}

// kindOf splits a canonical name.
func (k Kinds) kindOf(name string) (Kind, string, bool) {
	best, rest := Kind{}, ""
	for _, kind := range k {
		if r, ok := strings.CutPrefix(name, kind.Name); ok && len(kind.Name) > len(best.Name) && r != "" {
			best, rest = kind, r
		}
	}
	return best, rest, best.Name != ""
}

// TypeOf is the function of a lens table that tells the type of an interface
// from its name.
func (k Kinds) TypeOf(v any) (any, bool) {
	s, _ := v.(string)
	kind, rest, ok := k.kindOf(s)
	switch {
	case !ok:
		return nil, false
	case strings.Contains(rest, "."):
		return "cfgvault-interfaces:sub-interface", true
	case kind.Type == "":
		return nil, false
	}
	return "cfgvault-interfaces:" + kind.Type, true
}

// ParentOf is the function that tells what carries a sub-interface.
func (k Kinds) ParentOf(v any) (any, bool) {
	s, _ := v.(string)
	parent, _, ok := strings.Cut(s, ".")
	return parent, ok
}

// RenameList renames a word that stands for one interface, or for several:
// "Ethernet1/1-3", "Ethernet1/1,Ethernet1/5", "Gi0/1-2,Te1/1". What is no
// interface stays.
func (k Kinds) RenameList(word string, one func(string) string) (string, bool) {
	if c, ok := k.Canonical(word); ok {
		return one(c), true
	}
	var out []string
	kind := ""
	for part := range strings.SplitSeq(word, ",") {
		if _, ok := k.Canonical(part); !ok && kind != "" && part != "" && part[0] >= '0' && part[0] <= '9' {
			part = kind + part
		}
		lo, hi := part, ""
		if i := strings.LastIndexByte(part, '-'); i > 0 && strings.ContainsAny(part[:i], "0123456789") {
			lo, hi = part[:i], part[i+1:]
		}
		c, ok := k.Canonical(lo)
		if !ok {
			return "", false
		}
		kind = c[:strings.IndexAny(c, "0123456789")]
		if hi == "" {
			out = append(out, one(c))
			continue
		}
		// The last number counts up: "1/1-4" is 1/1 to 1/4.
		cut := strings.LastIndexAny(c, "/.") + 1
		if cut == 0 {
			cut = len(kind)
		}
		from, err1 := strconv.Atoi(c[cut:])
		to, err2 := strconv.Atoi(hi[strings.LastIndexAny(hi, "/.")+1:])
		if err1 != nil || err2 != nil || to < from || to-from > 4096 {
			return "", false
		}
		for n := from; n <= to; n++ {
			out = append(out, one(c[:cut]+strconv.Itoa(n)))
		}
	}
	return strings.Join(out, ","), true
}

// CanonicalMap brings both sides of an interface map into full names.
func (k Kinds) CanonicalMap(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for from, to := range m {
		if c, ok := k.Canonical(from); ok {
			from = c
		}
		if c, ok := k.Canonical(to); ok {
			to = c
		}
		out[from] = to
	}
	return out
}
