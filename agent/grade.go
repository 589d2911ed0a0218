package agent

import (
	"time"

	"github.com/cfgvault/cfgvault/vault"
)

// Grade says what a snapshot is good for (design §7).
type Grade string

// The grades.
const (
	GradeIncomplete Grade = "incomplete" // not proved complete
	GradeArchive    Grade = "archive"    // complete; no automatic way back
	GradeRestorable Grade = "restorable" // complete; the driver can put it back and nothing stands against it
	GradeRehearsed  Grade = "rehearsed"  // restorable; was restored onto a twin and compared equal
)

// Grades reads the grades of snapshots from their records and from the receipts
// of rehearsals.
type Grades struct {
	rehearsed map[string]time.Time // by SHA-256 of the snapshot
}

// NewGrades reads the receipts of an index once. The newest rehearsal of a
// snapshot counts, whether it went well or not.
func NewGrades(x *vault.Index) Grades {
	g := Grades{map[string]time.Time{}}
	for _, r := range receipts(x.Receipts(receiptRehearse)) {
		if r.Outcome == rehearsed {
			g.rehearsed[r.Target] = r.Ended
		} else {
			delete(g.rehearsed, r.Target)
		}
	}
	return g
}

// Of is the grade of a snapshot.
func (g Grades) Of(e vault.Entry) Grade {
	switch {
	case e.Verdict != vault.Complete:
		return GradeIncomplete
	case len(e.Limits) > 0:
		return GradeArchive
	case !g.rehearsed[e.SHA256].IsZero():
		return GradeRehearsed
	}
	return GradeRestorable
}

// Rehearsed is when a snapshot was last rehearsed; zero if it was not.
func (g Grades) Rehearsed(e vault.Entry) time.Time { return g.rehearsed[e.SHA256] }
