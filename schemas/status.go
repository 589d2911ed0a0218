package schemas

// status returns the status of a definition: what it says, or what something
// around it says that is worse, since nodes below a deprecated one cannot be
// used without it (RFC 7950 §7.21.2 leaves that open).
func (s *statement) status() string {
	if s.worst == "" {
		s.worst = "current"
		if s.parent != nil { // modules have no status
			s.worst = s.parent.status()
			if own := s.childArg("status"); statusRank(own) > statusRank(s.worst) {
				s.worst = own
			}
		}
	}
	return s.worst
}

func statusRank(status string) int {
	switch status {
	case "deprecated":
		return 1
	case "obsolete":
		return 2
	}
	return 0
}

// refer checks that a definition of a module does not build on one of the same
// module that is on its way out before itself (§7.21.2). s is where the
// reference stands.
func (c *compiler) refer(s, from, to *statement) {
	if from.src.module != to.src.module {
		return
	}
	if a, b := from.status(), to.status(); statusRank(b) > statusRank(a) {
		c.faultf(s, "RFC 7950 §7.21.2", "a %s definition refers to the %s %s %q", a, b, to.kw, to.arg)
	}
}
