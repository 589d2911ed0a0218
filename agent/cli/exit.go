package cli

import (
	"context"
	"errors"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/vault"
)

// Status is an exit status of cfgvault (design §8). An unknown status that is
// not 0 means failure.
type Status int

// The exit statuses.
const (
	Done        Status = 0
	Failed      Status = 1
	Usage       Status = 2
	Partly      Status = 3
	NoVault     Status = 10
	NotFound    Status = 11
	NoIdentity  Status = 12
	Unreachable Status = 13
	Plugin      Status = 14
	Integrity   Status = 15
	Refused     Status = 16
	RolledBack  Status = 17
	Outcome     Status = 18
	Interrupted Status = 130
)

var meaning = map[Status]string{
	Done:        "done",
	Failed:      "failed",
	Usage:       "usage or configuration",
	Partly:      "partly: some devices failed, or a snapshot was stored but is incomplete, held or without a tree, or a workflow stopped on its way: --resume goes on",
	NoVault:     "no vault, or its store is gone; a device's configuration is unchanged",
	NotFound:    "no such device or snapshot",
	NoIdentity:  "no identity fits",
	Unreachable: "device unreachable, or it refused the login; its configuration is unchanged",
	Plugin:      "plugin failed",
	Integrity:   "integrity: signature, hash, chain or trust",
	Refused:     "refused by a gate; the device's configuration is unchanged",
	RolledBack:  "rolled back",
	Outcome:     "outcome unknown: act now",
	Interrupted: "interrupted; the device's configuration is unchanged",
}

// usageError marks an error in how a command was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// statusError carries a status that no error kind implies.
type statusError struct {
	status Status
	err    error
}

func (e statusError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}
func (e statusError) Unwrap() error { return e.err }

// statusOf is the one table from errors to exit statuses. Its order matters:
// what happened to the device comes before why. A store that goes away while a
// workflow is under way is NoVault only as long as the device was not touched;
// then it is Partly, and --resume writes what is missing when the store is back.
func statusOf(err error) Status {
	if err == nil {
		return Done
	}
	var given statusError
	var usage usageError
	var key *session.HostKeyError
	var cert *session.CertError
	switch {
	case errors.As(err, &given):
		return given.status
	case errors.As(err, &usage):
		return Usage
	case errors.As(err, &key), errors.As(err, &cert):
		return Unreachable
	}
	for _, row := range []struct {
		err    error
		status Status
	}{
		{agent.ErrOutcome, Outcome},
		{agent.ErrRolledBack, RolledBack},
		{plugins.ErrRolledBack, RolledBack},
		{agent.ErrUnfinished, Partly},
		{agent.ErrGate, Refused},
		{journal.ErrOpen, Refused},
		{journal.ErrWorkflow, Refused},
		{journal.ErrBusy, Refused},
		{plugins.ErrWrongPlatform, Refused},
		{plugins.ErrWrongUnit, Refused},
		{context.Canceled, Interrupted},
		{agent.ErrNoVault, NoVault},
		{vault.ErrNoIdentity, NoIdentity},
		{vault.ErrClock, Refused},
		{vault.ErrIntegrity, Integrity},
		{inventory.ErrNoDevice, NotFound},
		{inventory.ErrNoGroup, NotFound},
		{vault.ErrNoSnapshot, NotFound},
		{agent.ErrConfig, Usage},
		{inventory.ErrConfig, Usage},
		{inventory.ErrExists, Usage},
		{session.ErrUnreachable, Unreachable},
		{session.ErrAuth, Unreachable},
		{session.ErrHostKeyUnknown, Unreachable},
		{plugins.ErrSessionLost, Unreachable},
		{host.ErrPlugin, Plugin},
		{host.ErrPinned, Plugin},
		{host.ErrUnknownDriver, Plugin},
	} {
		if errors.Is(err, row.err) {
			return row.status
		}
	}
	return Failed
}
