// Package statements is what simulated devices share whose configuration is
// made of indented statements: a grammar of rows, an editor that types lines
// into a configuration with the platform's refusals, "no", multi-line texts,
// and the order in which the device shows it all.
//
// It knows no platform: what differs is in a [Dialect].
package statements

import (
	"strings"
	"sync"
)

// Dialect is what one platform's configuration looks like.
type Dialect struct {
	Rows  []Row
	Ports []string // of a unit whose configuration names none

	IsPort    func(name string) bool                 // "interface NAME" is a physical port
	Interface func(word string, ports []string) bool // the name of an interface that may exist

	Indent    string                                   // one level: "   "
	Separator string                                   // between blocks outside others: "!"
	Inside    string                                   // between blocks inside one; "" for nothing
	End       string                                   // after everything, with its newline
	Close     func(*Statement) string                  // ends a block that the device closes itself, as "exit-address-family"
	Print     func(indent string, s *Statement) string // a statement with a text, newlines included

	Sections []string                    // the order of kinds of top-level statements
	Section  func(words []string) string // names the kind; nil: its first word
	Sorted   []string                    // kinds whose statements are sorted
	Unknown  string                      // the kind before which unknown kinds stand
	First    string                      // the kind of interface that comes before the others

	Leave       []string // words beside "exit" that leave a block
	Header      []string // first words of lines that a listing has and a configuration has not
	KeepComment string   // comments that stay with their block: "!!"

	Invalid, Incomplete string // the refusals

	// Text begins the multi-line text of a row that has one: the statement
	// without it, what stands of it on the line, and how a further line ends
	// it (last is what is kept of that line). ends is nil if it ended there.
	Text     func(line string, words []string) (head string, body []string, ends func(line string) (last string, done bool))
	DropLast bool // the line that ends a text is no part of it if nothing of it is kept

	once   sync.Once
	byMode map[string][]*Row
}

// header reports a line of the listing that is no statement.
func (d *Dialect) header(words []string) bool {
	for _, h := range d.Header {
		if strings.HasPrefix(strings.Join(words, " "), h) {
			return true
		}
	}
	return false
}

// section names the kind of a top-level statement.
func (d *Dialect) section(s *Statement) string {
	w := strings.Fields(strings.TrimPrefix(s.Text, "no "))
	if d.Section != nil {
		return d.Section(w)
	}
	return w[0]
}
