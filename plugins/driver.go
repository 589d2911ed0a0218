// Package plugins defines what a driver is: the code that speaks one
// platform's language. It holds types and contracts only and imports nothing
// of ours, so that a vendor can depend on it alone.
//
// A driver never opens a connection, never sees a credential and never stores
// anything: it asks the Session it is handed to run commands on the one device
// at hand, and returns what it read. The agent owns everything else.
//
// Methods that take a Session talk to the device; methods that do not are pure
// and must give the same answer for the same input and driver version. All
// methods are safe for concurrent use with different sessions.
//
// The conformance kit for every contract in this package is
// [github.com/cfgvault/cfgvault/plugins/plugintest].
package plugins

import (
	"context"
	"time"
)

// Driver reads one platform: it says who a device is, exports its complete
// configuration and normalises it. Every driver has these four methods; what
// else it can do is listed in [Info.Capabilities].
type Driver interface {
	// Info describes the driver. It is pure data, never touches a device and
	// never changes during the life of the process.
	Info() Info

	// Identify says which unit answers the session. It fails with
	// ErrWrongPlatform if the device is not of this driver's platform.
	Identify(ctx context.Context, s Session) (Facts, error)

	// Export reads every artefact of a full backup. A command that fails in a
	// way that leaves pieces missing gives Verdict Partial with reasons, not
	// an error; an error means that nothing worth keeping was read (the
	// session was lost, the login may not read anything). Export changes
	// nothing on the device, not even files of its own. With CapFacts it is
	// called without an Identify before it, and fails with ErrWrongPlatform as
	// Identify does.
	Export(ctx context.Context, s Session) (*Export, error)

	// Normalize turns native artefacts into a tree valid against the common
	// modules and accounts for every native line. It never touches a device
	// and is deterministic for one driver version.
	Normalize(ctx context.Context, f Facts, native []Artefact) (*Normalized, error)
}

// Restorer puts a configuration back with a way out: until Confirm, the device
// returns by itself to the configuration it had. A driver that lists
// CapRestore implements it.
//
// The agent chooses changeID (lower-case letters, digits and '-', at most 32
// bytes) and journals it before Stage; every name the driver leaves on the
// device derives from it, so that another process can find and finish the
// change. Confirm, Discard and Status accept any session on the same device,
// Commit the session that staged.
type Restorer interface {
	Driver

	// Stage brings want to the device without touching its running or startup
	// configuration and returns the device's own account of what would change.
	// It fails with a *RejectedError if the device does not accept want, with
	// ErrNotPermitted if the login lacks a right that the restore needs, with
	// ErrBusy if another user holds the configuration.
	Stage(ctx context.Context, s Session, changeID string, want []Artefact) (Diff, error)

	// Commit makes the staged configuration the running one and arms the
	// device's own timer: unless Confirm reaches the device within the given
	// time (measured on the device, monotonic), the device puts the old
	// configuration back by itself. Startup configuration is not changed.
	// ErrSessionLost means that the outcome is unknown: ask Status on a new
	// session. Any other error means that the device is as it was before
	// Commit, or will be when the timer ends.
	Commit(ctx context.Context, s Session, changeID string, within time.Duration) error

	// Confirm stops the timer, keeps the new configuration and saves it as
	// the startup configuration. Confirming again is not an error. It fails
	// with ErrRolledBack if the timer won.
	Confirm(ctx context.Context, s Session, changeID string) error

	// Discard removes what Stage left, and rolls back at once if a commit is
	// pending. Discarding what is not there is not an error; discarding a
	// confirmed change removes leftovers and changes no configuration.
	Discard(ctx context.Context, s Session, changeID string) error

	// Status says how far a change has come and, for StatePending, how much
	// time is left before the device rolls back.
	Status(ctx context.Context, s Session, changeID string) (State, time.Duration, error)
}

// Adapter prepares artefacts of one unit for another of the same platform: it
// leaves out items bound to the unit and renames interfaces, working on the
// syntax tree, never by text replacement. It is pure. CapAdapt.
type Adapter interface {
	Adapt(ctx context.Context, native []Artefact, from, to Facts, m InterfaceMap) ([]Artefact, []Loss, error)
}

// Renderer writes native artefacts from the common tree (RFC 7951 JSON), for a
// change of platform. Every leaf it cannot express is a Loss. It is pure.
// CapRender.
type Renderer interface {
	Render(ctx context.Context, tree []byte, onto Facts) ([]Artefact, []Loss, error)
}

// Resetter returns a unit to its factory state. The token proves that the
// agent passed its own gates: it is the unit's serial, and the driver refuses
// with ErrWrongUnit when the device that answers has another one.
// CapFactoryReset.
type Resetter interface {
	FactoryReset(ctx context.Context, s Session, token string) error
}

// Capability names an optional power of a driver. The agent refuses a driver
// that lists one it does not know.
type Capability string

// The optional powers.
const (
	CapRestore      Capability = "restore"       // implements Restorer
	CapAdapt        Capability = "adapt"         // implements Adapter
	CapRender       Capability = "render"        // implements Renderer
	CapFactoryReset Capability = "factory-reset" // implements Resetter
	CapFacts        Capability = "facts"         // Export also says which unit answered, in Export.Facts: a backup then needs no Identify
	// CapMigrate: Stage may be given what an older release wrote. The platform's
	// own migrator, not the driver, brings it to the syntax of the release at
	// hand, and what it cannot bring there it refuses.
	CapMigrate Capability = "migrate"
)

// Facts say which unit answered. A field that the platform does not tell is
// empty.
type Facts struct {
	Vendor    string   `json:"vendor"`            // "Arista"
	Model     string   `json:"model,omitempty"`   // the vendor's product id, "DCS-7050SX3-48YC8"
	Serials   []string `json:"serials,omitempty"` // chassis first, then stack members in order
	OS        string   `json:"os,omitempty"`      // "EOS", "FRRouting"
	OSVersion string   `json:"os-version,omitempty"`
	MACs      []string `json:"macs,omitempty"` // base or management addresses, lower case, colons
	Hostname  string   `json:"hostname,omitempty"`
}

// Role says what an artefact is to the device.
type Role string

// The roles.
const (
	RoleRunning Role = "running" // what the device does now; decides whether a restore succeeded
	RoleStartup Role = "startup" // what it does after a reboot; written by Confirm
	RoleFile    Role = "file"    // a file that a full restore puts back
	RoleState   Role = "state"   // kept as evidence (versions, licences); never restored or compared
)

// Bind says what an artefact, or a part of it, is tied to; a replacement
// carries over portable items, maps model-bound ones and leaves out the rest.
type Bind string

// The classes of binding; the empty string is BindPortable.
const (
	BindPortable Bind = "portable"
	BindModel    Bind = "model"
	BindUnit     Bind = "unit"
	BindVersion  Bind = "version"
)

// Artefact is one piece of native configuration, byte for byte.
type Artefact struct {
	Name   string            `json:"name"`             // unique in an export: "running-config", "etc/frr/daemons"; relative, slash-separated, no "." or ".." element
	Role   Role              `json:"role"`             //
	Bind   Bind              `json:"bind,omitempty"`   //
	Source string            `json:"source,omitempty"` // the command or path it came from
	Attrs  map[string]string `json:"attrs,omitempty"`  // what a restore needs besides the bytes: "mode" (octal), "owner", "group", "link" (target of a symbolic link)
	Data   []byte            `json:"-"`
}

// Verdict says whether an export holds everything that a full backup needs.
type Verdict string

// The verdicts. Only a Complete export can become latest good.
const (
	Complete Verdict = "complete" // proved: terminator or exit status, and every piece that should be there
	Partial  Verdict = "partial"  // something is known to be missing; Reasons say what
	Unknown  Verdict = "unknown"  // nothing is known to be missing, but that could not be proved
)

// Export is what one pass over a device read.
type Export struct {
	Artefacts      []Artefact
	Verdict        Verdict
	Reasons        []Reason // why not Complete; empty for Complete
	FactoryDefault bool     // the unit carries no configuration of its own
	Facts          *Facts   // with CapFacts, which unit answered, as Identify says it; nil without
	NoRestore      []Reason // why this login could not put the export back; empty: nothing is known to stand against it. Says nothing of completeness
}

// Reason is why an export is not complete, or a restore not offered.
type Reason struct {
	Code string `json:"code"` // closed and stable: lower-case words joined by '-', "daemon-missing"
	Text string `json:"text"` // for the operator; never configuration text
}

// Normalized is the outcome of Normalize: the tree is the index, the native
// artefacts are the backup.
type Normalized struct {
	Tree     []byte // RFC 7951 JSON object, valid against the common modules
	Residual []Line // every line that is not Mapped, in order
	Coverage []Coverage
}

// Class says what the driver made of a native line.
type Class string

// The classes. Every native line that is not empty has exactly one.
const (
	Mapped       Class = "mapped"        // it is in the tree
	Boilerplate  Class = "boilerplate"   // a named rule says that it carries nothing: delimiters, the vendor's defaults
	Volatile     Class = "volatile"      // a named rule says that it changes by itself
	SecretOpaque Class = "secret-opaque" // understood, and kept out of the tree because it is a secret
	Unparsed     Class = "unparsed"      // not understood
)

// Line is the account of one native line.
type Line struct {
	Artefact string `json:"artefact"`
	Number   int    `json:"line"` // from 1
	Class    Class  `json:"class"`
	Rule     string `json:"rule,omitempty"` // id of the boilerplate or volatile rule
	Section  string `json:"section"`        // heading of the block, secrets hidden: "router bgp 65001"
}

// Coverage counts the significant lines of one section of one artefact.
type Coverage struct {
	Artefact string        `json:"artefact"`
	Section  string        `json:"section"`
	Lines    map[Class]int `json:"lines"`
}

// InterfaceMap renames interfaces: old name to new name. A name that is not in
// it stays. The empty name leaves a port out that the new unit does not have; an
// adapter reports what it takes away with it beyond a port that nobody used.
type InterfaceMap map[string]string

// Loss is something that a restore or a conversion will not carry over.
type Loss struct {
	Artefact string `json:"artefact,omitempty"`
	Line     int    `json:"line,omitempty"` // from 1; 0 if no single line
	Path     string `json:"path,omitempty"` // instance path in the tree, for Render
	Code     string `json:"code"`           // closed and stable: "unit-bound", "no-equivalent", LossNotRestorable
	Text     string `json:"text"`           // for the operator; secrets hidden
}

// LossNotRestorable is the code of a whole artefact that a driver reads and
// cannot put back: once that is accepted, it is no difference that the device
// has another one, or none.
const LossNotRestorable = "not-restorable"

// Diff is the device's own account of what a staged change would do.
type Diff struct {
	Text       string   // as the device prints it; may hold secrets, the agent hides them with Info.Redact; empty: nothing would change
	Steps      []string // what Commit and Confirm will do, in order, in the operator's words
	Losses     []Loss   // parts of want that will not be put back
	Disruptive []string // restarts, reboots, flaps that Commit will cause
	Address    string   // where to reconnect after Commit if the change moves the management address; empty: unchanged
}

// State says how far a change has come on the device.
type State string

// The states of a change.
const (
	StateNone       State = "none"       // the device knows nothing of it
	StateStaged     State = "staged"     // brought, not committed
	StatePending    State = "pending"    // running, the timer runs
	StateConfirmed  State = "confirmed"  // running and saved
	StateRolledBack State = "rolledback" // the timer won, or Discard
	StateUnknown    State = "unknown"    // the device's answer fits no other state
)
