package schemas

import (
	"fmt"
	"net/url"
	"strings"
)

// resource writes a path as RFC 8040 §3.5.3 has it in URIs and RFC 8072 in
// patches: /module:list=key1,key2/leaf. The empty path is "/".
func (p instancePath) resource() string {
	if len(p) == 0 {
		return "/"
	}
	var b strings.Builder
	var module *Module
	for _, s := range p {
		b.WriteByte('/')
		if s.node.module != module {
			b.WriteString(s.node.module.Name + ":")
			module = s.node.module
		}
		b.WriteString(s.node.name)
		for i, k := range s.keys {
			b.WriteByte("=,"[min(i, 1)])
			b.WriteString(percent(k))
		}
	}
	return b.String()
}

// percent escapes everything but the unreserved characters of RFC 3986.
func percent(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// parseResource reads such a path. One that ends in a list without keys is
// accepted if open.
func (s *Set) parseResource(text string) (instancePath, error) {
	if text == "/" || text == "" {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return nil, fmt.Errorf("it does not begin with a slash")
	}
	module := func(m string) (string, bool) { _, ok := s.byName[m]; return m, ok }
	at := s.root
	var out instancePath
	for seg := range strings.SplitSeq(rest, "/") {
		if len(out) > maxNodeDepth {
			return nil, fmt.Errorf("it is too long")
		}
		ref, keys, has := strings.Cut(seg, "=")
		ref, err := url.PathUnescape(ref)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", clip(seg), err)
		}
		n, err := s.stepNode(at, ref, module)
		if err != nil {
			return nil, err
		}
		step := pathStep{node: n}
		want := n.keys
		if n.kind == KindLeafList {
			want = []*Node{n}
		}
		if has != (len(want) > 0) {
			if has {
				return nil, fmt.Errorf("%s %s has no keys", n.kind, n.name)
			}
			return nil, fmt.Errorf("%s %s needs its keys: %s=…", n.kind, n.name, n.name)
		}
		if n.kind == KindList && len(n.keys) == 0 {
			return nil, fmt.Errorf("list %s has no keys by which an entry could be named", n.name)
		}
		if has {
			values := strings.Split(keys, ",")
			if len(values) != len(want) {
				return nil, fmt.Errorf("%s %s needs %s, %d are given", n.kind, n.name, plural(len(want), "key"), len(values))
			}
			for i, v := range values {
				if v, err = url.PathUnescape(v); err != nil {
					return nil, fmt.Errorf("%q: %w", clip(seg), err)
				}
				val, bad := s.reading(want[i], hintText).read(want[i].typ, v)
				if bad != nil {
					return nil, fmt.Errorf("key %s: %s", want[i].name, bad.text)
				}
				step.keys = append(step.keys, val.text)
			}
		}
		out = append(out, step)
		at = n
	}
	return out, nil
}

// location returns the path of an item. Entries without keys have none.
func (it *item) location() instancePath {
	var out instancePath
	for at := it; at.parent != nil; at = at.parent {
		step := pathStep{node: at.schema}
		switch at.schema.kind {
		case KindLeafList:
			step.keys = []string{at.val.text}
		case KindList:
			for _, k := range at.keys {
				step.keys = append(step.keys, k.val.text)
			}
		}
		out = append(out, step)
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// shown writes a path for people: secret keys are hidden.
func (p instancePath) shown() string {
	if len(p) == 0 {
		return "/"
	}
	return p.hidden().String()
}

// hidden is the path with secret keys hidden.
func (p instancePath) hidden() instancePath {
	q := make(instancePath, len(p))
	copy(q, p)
	for i, s := range q {
		if s.keys == nil {
			continue
		}
		keys := make([]string, len(s.keys))
		for j, k := range s.keys {
			keys[j] = k
			if n := s.node; n.secret || n.kind == KindList && n.keys[j].secret {
				keys[j] = Hidden
			}
		}
		q[i].keys = keys
	}
	return q
}
