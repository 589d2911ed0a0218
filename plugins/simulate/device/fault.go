package device

import (
	"strings"
	"sync/atomic"
)

// Fault is one thing that goes wrong with the commands that match it. Exactly
// one of the kinds is set.
type Fault struct {
	// Command is the beginning of the command lines that it strikes, in any
	// mode; "" is every line.
	Command string
	// Contains is what those command lines hold further on; "" is anything.
	Contains string
	// Times is how often it strikes; 0 is always.
	Times int

	Cut    *int   // the connection goes away after so many bytes of the command's output
	Hang   bool   // the command is not run and never answers
	Refuse string // the command is not run and answers with this text
	Lose   bool   // the connection goes away before the command is run
	Drop   bool   // the connection goes away after the command was run, before its answer
	Before func() // runs before the command, to let something happen at that moment
}

type armedFault struct {
	Fault
	fired atomic.Int64
}

// Inject arms a fault and returns a function that says how often it has
// struck: a test whose fault never struck has tested nothing.
func (d *Device) Inject(f Fault) (fired func() int) {
	a := &armedFault{Fault: f}
	d.faultMu.Lock()
	d.faults = append(d.faults, a)
	d.faultMu.Unlock()
	return func() int { return int(a.fired.Load()) }
}

// ClearFaults disarms every fault.
func (d *Device) ClearFaults() {
	d.faultMu.Lock()
	d.faults = nil
	d.faultMu.Unlock()
}

// strike returns the faults that hit the line and counts them.
func (d *Device) strike(line string) []Fault {
	line = strings.TrimSpace(line)
	d.faultMu.Lock()
	defer d.faultMu.Unlock()
	var hit []Fault
	for _, a := range d.faults {
		if line == "" || !strings.HasPrefix(line, a.Command) || !strings.Contains(line, a.Contains) || a.Times > 0 && a.fired.Load() >= int64(a.Times) {
			continue
		}
		a.fired.Add(1)
		hit = append(hit, a.Fault)
	}
	return hit
}
