package plugins

import (
	"context"
	"errors"
	"fmt"
)

// The errors by which a driver or a session tells the agent what to do next.
// They keep their identity across the process boundary through Codes.
var (
	ErrSessionLost   = errors.New("the connection to the device was lost")
	ErrWrongPlatform = errors.New("the device is of another platform")
	ErrWrongUnit     = errors.New("the device has another serial number")
	ErrNotPermitted  = errors.New("the login may not do this")
	ErrBusy          = errors.New("the configuration is held by another user")
	ErrRolledBack    = errors.New("the device rolled the change back")
	ErrTooLarge      = errors.New("the output is larger than the agent allows")
	ErrEmpty         = errors.New("the device sent nothing")
	ErrRejected      = errors.New("the device rejected the configuration")
)

// RejectedError says where the device rejected a configuration. It matches
// ErrRejected. Text is the device's own words and may hold secrets until the
// agent has run Info.Redact over it; Error therefore does not print it.
type RejectedError struct {
	Artefact string
	Line     int // from 1; 0 if the device did not say
	Text     string
}

func (e *RejectedError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%v: %s line %d", ErrRejected, e.Artefact, e.Line)
	}
	return fmt.Sprintf("%v: %s", ErrRejected, e.Artefact)
}

// Is reports that a RejectedError is an ErrRejected.
func (e *RejectedError) Is(target error) bool { return target == ErrRejected }

// Codes is the one table by which errors cross the wire: stable code to
// sentinel. A code that is not in it becomes a plain error with the text it
// came with.
func Codes() map[string]error {
	return map[string]error{
		"session-lost":   ErrSessionLost,
		"wrong-platform": ErrWrongPlatform,
		"wrong-unit":     ErrWrongUnit,
		"not-permitted":  ErrNotPermitted,
		"busy":           ErrBusy,
		"rolled-back":    ErrRolledBack,
		"too-large":      ErrTooLarge,
		"empty":          ErrEmpty,
		"rejected":       ErrRejected,
		"unsupported":    errors.ErrUnsupported,
		"canceled":       context.Canceled,
		"deadline":       context.DeadlineExceeded,
	}
}
