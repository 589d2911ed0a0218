package schemas

import "strings"

const annotateRule = "cfgvault-extensions:annotate"

// applyAnnotate attaches the policy that modules give to nodes of others by
// cv-ext:annotate. It is a statement of a module and not a file of its own kind
// because all that it needs is there already: prefixes bound to modules and
// revisions, faults with file and line, a place in the set's hash.
func (c *compiler) applyAnnotate() {
	for _, m := range c.want {
		for _, src := range m.files {
			for _, s := range src.root.subs {
				if src.ours(s, "annotate") {
					c.annotate(s, m)
				}
			}
		}
	}
}

// ours reports whether a statement is one of cfgvault-extensions.
func (src *source) ours(s *statement, local string) bool {
	prefix, kw, ok := strings.Cut(s.kw, ":")
	if !ok || kw != local {
		return false
	}
	m := src.prefixes[prefix]
	return m != nil && m.Name == "cfgvault-extensions"
}

func (c *compiler) annotate(s *statement, m *Module) {
	t, missing := c.absolute(s, m)
	if missing {
		c.faultf(s, annotateRule, "the target %q does not exist", clip(s.arg))
	}
	if t == nil {
		return
	}
	for _, d := range s.subs {
		switch {
		case s.src.ours(d, "annotate"):
			c.faultf(d, annotateRule, "annotate cannot be in annotate")
		case strings.Contains(d.kw, ":"):
			c.extension(d, t)
		case d.kw != "description" && d.kw != "reference":
			c.faultf(d, annotateRule, "%q cannot be in annotate: it takes statements of cfgvault-extensions", d.kw)
		}
	}
}
