// Package profile makes a driver from a declaration in YAML: what a driver's
// Info says, how the unit is recognised, and how an export is proved complete.
// It is for platforms that have no driver of their own. Profiles are built in
// (Names, Open) or come from a user's file (Parse).
//
// A profile is data. It can run the commands that it lists, each once or, to
// prove it, twice, and type its set-up lines; it has no expressions, no
// conditions and no way to change a device beyond that. It deliberately does
// not restore, not even onto the same unit: its snapshots are an archive. It
// knows no configuration language either, so that its tree is empty and each
// native line is volatile, secret or unparsed.
package profile

import (
	"regexp"
	"slices"

	"github.com/cfgvault/cfgvault/plugins"
)

// Profile is a checked declaration. It implements plugins.Driver. Safe for
// concurrent use.
type Profile struct {
	info     plugins.Info
	text     *plugins.Text
	identify []identify
	is       *regexp.Regexp
	rules    []rule // by artefact, as in info.Artefacts
	refusal  *regexp.Regexp
	os       string
	samples  []sample
}

var _ plugins.Driver = (*Profile)(nil)

// identify is a command and what its output tells of the unit: each pattern's
// first submatch.
type identify struct {
	command string
	fields  map[string]*regexp.Regexp // "model", "serial", "version", "hostname", "mac"
}

// rule is how an artefact proves that it is whole.
type rule struct {
	terminator *regexp.Regexp // the last significant line
	whole      string         // one of wholes
	twice      bool           // read again, it is the same but for volatile lines
	first      *regexp.Regexp // the first significant line
	contains   []*regexp.Regexp
}

// What the form of a text tells of its end. Blocks are closed between any two
// of the outermost, so that they do not do alone.
const (
	wholeJSON   = "json"   // it parses
	wholeXML    = "xml"    // every element is closed
	wholeBraces = "braces" // as many close as open, none before it opened
	wholeBlocks = "blocks" // FortiOS: "config" and "end", "edit" and "next"
)

func wholes() []string {
	return []string{wholeJSON, wholeXML, wholeBraces, wholeBlocks}
}

// Info is the declaration as every driver gives it. What proves completeness
// beyond a terminator is in Notes.
func (p *Profile) Info() plugins.Info {
	i := p.info
	i.Notes = slices.Clone(i.Notes)
	return i
}
