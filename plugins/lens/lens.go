// Package lens turns native configuration into our tree and back by one table
// per vendor. A row of the table joins one statement to one place in the tree
// and is read both ways, so that what is understood is what can be written:
//
//	lens.Row{Text: "ip address $a:ipv4-if", Set: "./ipv4/address[ip=$a.ip]/prefix-length=$a.length"}
//
// Two laws hold for every table, and CheckRead and CheckWrite test them:
//
//	read(write(t)) = t − losses(t)       nothing is lost without saying so
//	read(write(read(n))) = read(n)       what was read can be written
//
// and every statement that is written reads back as mapped or as named
// boilerplate.
//
// The engine knows no vendor and no YANG: that a tree is valid against the
// modules is checked by the tests of the tables. It keeps native text nowhere:
// the artefacts are the backup, the tree is the index.
//
// # Patterns
//
// A pattern is a list of words. A plain word stands for itself; $x stands for
// one word and binds it; $x:codec reads and writes the word by a codec of the
// table or of the package (see Builtin). A codec with parts binds $x.part. The
// variable $_ is matched and forgotten. "{ a $b }" may be left out as a whole.
// "$x?word" is an optional word, true where it stands; "$x!word" is a variable
// that has no value where that word stands: the vendor's name of its default.
// A variable that the
// heading of the enclosing block has bound must have the same value again.
//
// # Records
//
// In a dialect of objects with attributes in no order, a record is read and
// written instead of a statement (see Table.Records), and Attrs lists what it
// has: "name=word" and "name=$x:codec" must be there, braces hold what may be
// left out, "name=$_" is read and forgotten, and "*=$x" is every other
// attribute as a list of "name=value", or "name+=value" for the values of a
// list. The variable $# is the number of the record among those with the same
// first word that were understood; a record is written only in its turn.
//
// # Facts
//
// Set is a list of facts, separated by blanks, that the statement makes true
// in the tree. Read: they are set. Written: the statement appears once for
// each way to make all of them true.
//
//	path=V     the leaf has the value
//	path+=V    the leaf-list contains the value; one statement for each entry
//	path*=V    the leaf-list has exactly these values, all in one statement
//	path~=V    the leaf-list of VLANs and ranges contains V
//	path       the list entry or presence container exists
//
// A path is absolute without a leading slash ("cfgvault-vlans:vlans/vlan[id=$id]")
// or begins with "./", the place that the first
// fact of the enclosing block is about. V and the
// values of keys are $x, $x.part, $x.$y for two variables with a dot between
// them of which the first is bound around it, f($x) for a function of the table, a number,
// true, false, or any other word for a string. A fact that mentions an
// optional variable holds only where that variable is bound; one with a
// function is set where the function answers and never stands in the way of
// writing.
package lens

import (
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/syntax"
)

// Table describes one native dialect. It is data: Compile turns it into a
// Lens.
type Table struct {
	Parse  func(text string) *syntax.Doc                           // how text becomes lines and blocks
	Words  func(buf []syntax.Word, statement string) []syntax.Word // how a statement becomes words; nil: syntax.Words
	Codecs map[string]Codec                                        // beside those of Builtin
	Funcs  map[string]func(value any) (any, bool)                  // functions of facts

	// Nested: the words of a statement and those of the headings around it are
	// one path, which rows below rows take one after the other; "a b { c; }"
	// says the same as "a { b { c; } }" and as the one line "a b c". Only rows
	// without rows below them may have optional words. Written are blocks in
	// braces, each statement ended by Ending.
	Nested bool
	Ending string

	// Unquote reads a word for every codec, Quote writes it; nil: as it is.
	Unquote, Quote func(word string) string

	// Given are variables that are bound before a text is read, by Reader.Read.
	// Rows that need one which is not given are not read.
	Given []string

	// Join returns the lines that make one statement together with line i, or
	// nil; they are read and classed as one. Only for tables that are not
	// written.
	Join func(d *syntax.Doc, i int) []int

	// Records takes the place of Parse in dialects of objects with attributes in
	// no order: it gives the document, nil where there are no comments, and what
	// yields its records. Print writes records, in the order of the rows.
	Records func(text string) (d *syntax.Doc, each func(yield func(*syntax.Record) bool))
	Print   func(records []syntax.Record) string

	// Attrs class attributes of records that no row knows.
	Attrs []AttrRule

	Rows  []Row  // statements, in the order in which they are written
	Any   []Row  // statements known in any block, tried last; never written
	Lines []Rule // comments, by pattern

	// Ordered are the schema paths of lists whose order means something.
	Ordered []string

	Indent    string // one level of a written block
	Header    string // written before everything, with its newline
	Separator string // written after each outermost block: "!"
	Footer    string // written after everything

	// Vocabulary are the words that may be shown of the headings of blocks
	// that no row knows; all other words of such a heading are hidden, because
	// a secret may be among them. The literal words of all rows are known.
	Vocabulary []string
}

// Row joins one statement to one place in the tree, or classes a statement
// that is not in the tree.
type Row struct {
	Text string // pattern of the statement
	Set  string // facts
	If   string // facts that must hold already when the statement is read, and are no part of what it says

	// Unless are facts, or alternatives of them between "|"; the row is not
	// written where they hold: another row says it better there, or the
	// platform cannot say both.
	Unless string

	// Attrs is the pattern of a record's attributes, in any order (see
	// Records); Text is that of its words.
	Attrs string

	Rows []Row  // the statement heads a block of these
	End  string // written at the end of the block: "exit"

	// Each makes a group instead of a statement: Rows are written together for
	// each way to make these facts true. Nothing is read by it.
	Each string

	// Body binds the multi-line text below the statement; BodyEnd is the line
	// that ends it.
	Body, BodyEnd string

	// Delimited is for a Body between delimiters, as in IOS: what stands from
	// the delimiter on is no part of Text, any delimiter is read, and BodyEnd
	// is the one that is written. A newline next to a delimiter is not part of
	// the text.
	Delimited bool

	// Class is for statements without facts: Boilerplate and Volatile with
	// Rule and Why, SecretOpaque, or Unparsed for a block whose heading is
	// known and may be shown.
	Class plugins.Class
	Rule  string // id: lower-case words joined by '-'
	Why   string // for Rule: the vendor's default, with its source

	ReadOnly bool // another spelling, never written
	Once     bool // a record that the platform has once; what would need another is lost

	// Count is a variable that is not in the text, a key of the first fact:
	// 10, 20, … in the order in which such statements are read below one
	// place. For lists whose entries one release prints with a sequence number
	// and another without; only on rows that are read.
	Count string

	Pair *Pair // Go functions in the place of Text and Set
}

// Pair is a row in Go, for what a pattern cannot say. Both functions obey the
// laws of the package.
type Pair struct {
	First string // first word of the statements that Read wants to see

	// Read returns what the statement says, or false if it is none of its own.
	Read func(words []string) ([]Assign, bool)

	// Write returns the statements for what it finds in the tree. Every path
	// that a statement expresses is listed in its Uses.
	Write func(t Tree) []Emit
}

// Assign is one leaf that a Pair reads: an absolute instance path and its
// value, string, int64 or bool; nil where the path ends in a list entry that
// exists. With Append it is one entry of a leaf-list.
type Assign struct {
	Path   []Step
	Value  any
	Append bool
}

// Step is one node of an instance path; Keys are those of a list entry.
type Step struct {
	Name string
	Keys []Key
}

// Key is one key leaf of a list entry.
type Key struct {
	Name  string
	Value any
}

// Emit is one written statement and the leaves that it expresses.
type Emit struct {
	Text string
	Uses [][]Step
}

// AttrRule classes an attribute of records: one that has the vendor's default
// value, that changes by itself or that is a secret.
type AttrRule struct {
	ID     string
	Class  plugins.Class // Boilerplate, Volatile or SecretOpaque
	Record string        // first word, or title, of the record; "" any
	Name   string
	Value  string // RE2 that matches the whole value; "" any
	Why    string
}

// Rule classes comment lines.
type Rule struct {
	ID      string
	Class   plugins.Class // Boilerplate, Volatile or Unparsed
	Pattern string        // RE2, matched from the comment sign on
	Why     string
}
