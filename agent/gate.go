package agent

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// ErrGate is wrapped by every refusal of a gate. It promises that running and
// startup configuration of the device are unchanged.
var ErrGate = errors.New("refused")

// Gate is a check that stands before a restore and that an operator may
// overrule by name.
type Gate string

// The gates. The command line offers each as --allow-NAME.
const (
	GateIncomplete Gate = "incomplete"  // the snapshot is not proved complete
	GateHeld       Gate = "held"        // the snapshot is held
	GatePlatform   Gate = "platform"    // another driver made the snapshot: never overruled
	GateModel      Gate = "model"       // the unit is another model
	GateVersion    Gate = "version"     // the unit runs another OS version
	GateSerial     Gate = "serial"      // the unit has another serial number
	GateGrade      Gate = "grade"       // the driver has no automatic way back
	GateOverdue    Gate = "overdue"     // an agent has not written the record it promised
	GateNoRollback Gate = "no-rollback" // nobody puts the old configuration back
	GateNoUndo     Gate = "no-undo"     // the unit cannot be saved first
	GateLosses     Gate = "losses"      // parts of the snapshot will not be put back
	GateAge        Gate = "age"         // the snapshot is older than a wipe may trust
	GateChanged    Gate = "changed"     // the device has another configuration than the snapshot
	GateHostKey    Gate = "host-key"    // the host key of a new or reset unit is taken as it is shown
	GateMap        Gate = "map"         // interfaces were matched by other means than their names
	GateReboot     Gate = "reboot"      // the new unit has to start with other licences or templates first
)

// Gates are the gates that can be overruled, with what it means to do so.
func Gates() map[Gate]string {
	return map[Gate]string{
		GateIncomplete: "restore a snapshot that is not proved complete",
		GateHeld:       "restore a snapshot that is held",
		GateModel:      "restore onto another model",
		GateVersion:    "restore onto another OS version",
		GateSerial:     "restore onto a unit with another serial number",
		GateOverdue:    "restore although an agent's record is overdue: newer snapshots may be missing",
		GateNoRollback: "restore where nobody puts the old configuration back if it goes wrong",
		GateNoUndo:     "restore onto a unit whose configuration cannot be saved first",
		GateLosses:     "restore although parts of the snapshot will not be put back",
	}
}

// WorkflowGates are the gates of wipe, replace and upgrade beyond those of a
// restore, with what it means to overrule them.
func WorkflowGates() map[Gate]string {
	return map[Gate]string{
		GateAge:     "wipe although the newest snapshot is older than --max-age",
		GateChanged: "wipe although the device was changed since the newest snapshot",
		GateHostKey: "take the host key that the new, or reset, unit shows, unseen",
		GateMap:     "apply an interface map that nobody has looked at",
		GateReboot:  "set the licences and templates that the new unit has to start with, and reboot it",
	}
}

// GateError says which gate refused, why, and how to overrule it.
type GateError struct {
	Gate Gate
	Text string
}

// hard is a refusal that no option overrules.
func hard(gate Gate, format string, args ...any) error {
	return &GateError{gate, fmt.Sprintf(format, args...)}
}

func (e *GateError) Error() string {
	s := "refused by gate " + string(e.Gate) + ": " + e.Text
	if e.Gate == GateNoUndo {
		s += "; --no-undo overrules it"
	} else if e.overruled() {
		s += fmt.Sprintf("; --allow-%s overrules it", e.Gate)
	}
	return s
}

func (e *GateError) overruled() bool {
	_, ok := Gates()[e.Gate]
	_, more := WorkflowGates()[e.Gate]
	return ok || more
}

// Is reports that a GateError is ErrGate.
func (e *GateError) Is(target error) bool { return target == ErrGate }

// gates keeps which gates an operator overruled, and which of these it took.
type gates struct {
	allowed map[Gate]bool
	used    []string
	freed   []Gate // that a workflow's own checks stand in for
}

// free takes a gate away from the restore within a workflow that has checks of
// its own for it.
func (g *gates) free(gate Gate) {
	if !slices.Contains(g.freed, gate) {
		g.freed = append(g.freed, gate)
	}
}

// refuse returns a GateError unless the gate is overruled, which is noted.
func (g *gates) refuse(gate Gate, format string, args ...any) error {
	if g.allowed[gate] {
		g.note(gate)
		return nil
	}
	return &GateError{gate, fmt.Sprintf(format, args...)}
}

// note says that a gate was overruled.
func (g *gates) note(gate Gate) {
	if !slices.Contains(g.used, string(gate)) {
		g.used = append(g.used, string(gate))
	}
}

// unit holds the unit that answers against the one a snapshot was taken from.
// A fact that either side does not tell cannot be held against it.
func (g *gates) unit(meta Meta, driver string, facts plugins.Facts) error {
	if meta.Driver != driver {
		return &GateError{GatePlatform, fmt.Sprintf("the snapshot was made by driver %s, the device has driver %s", meta.Driver, driver)}
	}
	was := meta.Facts
	if was.Model != "" && facts.Model != "" && was.Model != facts.Model {
		if err := g.refuse(GateModel, "the unit is a %s, the snapshot is of a %s", facts.Model, was.Model); err != nil {
			return err
		}
	}
	if was.OSVersion != "" && facts.OSVersion != "" && was.OSVersion != facts.OSVersion {
		if err := g.refuse(GateVersion, "the unit runs %s, the snapshot was made under %s", facts.OSVersion, was.OSVersion); err != nil {
			return err
		}
	}
	if len(was.Serials) > 0 && len(facts.Serials) > 0 && !slices.Equal(was.Serials, facts.Serials) {
		return g.refuse(GateSerial, "the unit has serial %s, the snapshot is of %s", strings.Join(facts.Serials, " "), strings.Join(was.Serials, " "))
	}
	return nil
}

// snapshot holds a snapshot to what a restore may use.
func (g *gates) snapshot(e vault.Entry) error {
	if e.Verdict != vault.Complete {
		if err := g.refuse(GateIncomplete, "snapshot %s is %s", short(e.ID()), e.Verdict); err != nil {
			return err
		}
	}
	if len(e.Held) > 0 && e.Accepted == "" && e.Kind != vault.Undo {
		codes := make([]string, len(e.Held))
		for i, c := range e.Held {
			codes[i] = string(c)
		}
		return g.refuse(GateHeld, "snapshot %s is held (%s); `cfgvault device accept` releases it", short(e.ID()), strings.Join(codes, ", "))
	}
	return nil
}

// driver holds a driver to what a restore needs.
func (g *gates) driver(info plugins.Info) error {
	if !info.Can(plugins.CapRestore) {
		return &GateError{GateGrade, fmt.Sprintf("driver %s cannot put a configuration back: the snapshot is an archive; `cfgvault show` prints it", info.Name)}
	}
	if info.Rollback == plugins.RollbackNone {
		return g.refuse(GateNoRollback, "platform %s has no way back if the change goes wrong", info.Name)
	}
	return nil
}

func short(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}
