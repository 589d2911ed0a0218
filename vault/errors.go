package vault

import (
	"errors"
	"fmt"
)

// The errors that callers tell apart, with the exit status of cfgvault.
var (
	// ErrNoVault: the home knows no vault, or the store holds none or does not
	// answer (10).
	ErrNoVault = errors.New("no vault")
	// ErrNoSnapshot: no such device or snapshot (11).
	ErrNoSnapshot = errors.New("no such snapshot")
	// ErrNoIdentity: none of the identities opens the object (12).
	ErrNoIdentity = errors.New("no identity fits")
	// ErrIntegrity: a signature, hash, chain or trust is wrong (15). Every
	// such error is an *IntegrityError.
	ErrIntegrity = errors.New("integrity")
	// ErrNoRight: the store refuses writing, or the home lacks the key that an
	// act needs (1).
	ErrNoRight = errors.New("no right")
	// ErrClock: the clock of this machine cannot be right (16).
	ErrClock = errors.New("clock is wrong")
	// ErrTooLarge: an object is larger than its record, or than our limits.
	ErrTooLarge = errors.New("too large")
	// ErrBusy: another process uses this home (1).
	ErrBusy = errors.New("vault is in use")
)

// IntegrityError says which object failed and how. It is ErrIntegrity.
type IntegrityError struct {
	Object string // key in the store, or file in the home
	What   string // what was found, and what should have been
	Err    error  // cause, may be nil
}

// Error names the object first.
func (e *IntegrityError) Error() string {
	s := fmt.Sprintf("integrity: %s: %s", e.Object, e.What)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports that the error is ErrIntegrity.
func (e *IntegrityError) Is(target error) bool { return target == ErrIntegrity }

// Unwrap returns the cause.
func (e *IntegrityError) Unwrap() error { return e.Err }

func integrity(object, format string, a ...any) error {
	return &IntegrityError{Object: object, What: fmt.Sprintf(format, a...)}
}
