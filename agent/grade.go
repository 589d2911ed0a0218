package agent

import "github.com/cfgvault/cfgvault/vault"

// Grade says what a snapshot is good for (design §7).
type Grade string

// The grades.
const (
	GradeIncomplete Grade = "incomplete" // not proved complete
	GradeArchive    Grade = "archive"    // complete; no automatic way back
	GradeRestorable Grade = "restorable" // complete; the driver can put it back and nothing stands against it
)

// GradeOf reads a snapshot's grade from its record.
func GradeOf(e vault.Entry) Grade {
	if e.Verdict != vault.Complete {
		return GradeIncomplete
	}
	if len(e.Limits) > 0 {
		return GradeArchive
	}
	return GradeRestorable
}
