package syntax

// Record is one object of a document that holds objects rather than
// statements: words that say which object, and attributes whose order means
// nothing. Its slices are good until the next record.
type Record struct {
	Words []string // "/ip/address", "add"; "interface", "lan"; "PORT", "Ethernet0"
	Attrs []Attr
	From  int    // index of its first line
	To    int    // index after its last line
	Heads []int  // indexes of lines that it shares with other records: the heading of a menu, braces around a table
	Title string // what its lines are accounted under; empty: its first word
	Bad   bool   // it does not end, or is otherwise not what the dialect allows
}

// Attr is one attribute of a record.
type Attr struct {
	Name   string
	Value  string // decoded; the first of several
	More   []string
	List   bool // may have several values, even if it has one
	From   int  // index of its first line
	To     int  // index after its last line
	At     int  // byte of the logical statement where the value begins as it is written
	End    int  // byte after the value
	Silent bool // says what another attribute of the record says: a further value of a list, an option that is set again
}

// Values returns all values of the attribute.
func (a *Attr) Values() []string { return append([]string{a.Value}, a.More...) }

// Get returns the attribute of a name, or nil.
func (r *Record) Get(name string) *Attr {
	for i := range r.Attrs {
		if r.Attrs[i].Name == name && !r.Attrs[i].Silent {
			return &r.Attrs[i]
		}
	}
	return nil
}

// twice reports whether two attributes have one name.
func (r *Record) twice() bool {
	if len(r.Attrs) > 16 {
		seen := make(map[string]bool, len(r.Attrs))
		for i := range r.Attrs {
			if seen[r.Attrs[i].Name] {
				return true
			}
			seen[r.Attrs[i].Name] = true
		}
		return false
	}
	for i := range r.Attrs {
		for k := range r.Attrs[:i] {
			if r.Attrs[k].Name == r.Attrs[i].Name {
				return true
			}
		}
	}
	return false
}
