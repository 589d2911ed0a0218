package plugins

// Info declares everything about a platform that a declaration can say. It is
// data: it travels to the agent unchanged and must be the same for every call.
type Info struct {
	Name         string       `json:"name"`     // lower-case letters, digits and '-': "eos"
	Version      string       `json:"version"`  // of the driver, semantic version; part of what decides "unchanged"
	Vendor       string       `json:"vendor"`   // "Arista"
	Platform     string       `json:"platform"` // one line for people: "Arista EOS 4.21 and later"
	Tested       Tested       `json:"tested"`   //
	Notes        []string     `json:"notes"`    // what is unconfirmed, what the operator must know
	Capabilities []Capability `json:"capabilities"`

	Options []Option `json:"options,omitempty"` // driver options that the inventory may set per device

	Transports  []Transport `json:"transports"`             // in order of preference
	Shell       Shell       `json:"shell"`                  // for shells; ignored where only exec is used
	MaxSessions int         `json:"max-sessions,omitempty"` // logins the device stands at once; 0: no limit known

	Artefacts []ArtefactSpec `json:"artefacts"`           // what a full export holds, in order
	Volatile  []LineRule     `json:"volatile"`            // lines that change by themselves
	Secrets   []SecretRule   `json:"secrets"`             // what is hidden wherever text is shown
	Unordered []LineRule     `json:"unordered,omitempty"` // lines, with the block below each, whose order among each other says nothing and may differ after a restore

	ReloadFirst []LineRule `json:"reload-first,omitempty"` // statements of the running configuration, as whole lines without indentation, that count from the next start on, and without which the unit refuses others
	Reboot      []Reboot   `json:"reboot,omitempty"`       // what makes the unit start anew, without saving; the session ends

	Rollback       Rollback `json:"rollback,omitempty"`        // empty without CapRestore
	RestartSeconds int      `json:"restart-seconds,omitempty"` // how long a commit may keep the unit from answering, which restarts it; 0: it does not
}

// Reboot is a command that makes a unit start anew, or leads to that.
type Reboot struct {
	Text    string   `json:"text"`
	Answers []Answer `json:"answers,omitempty"`
}

// Tested says how a driver was tried, the strongest first.
type Tested string

// How a driver was tried.
const (
	TestedReal      Tested = "real software"
	TestedDialogue  Tested = "recorded dialogue" // what a device once said, replayed
	TestedSimulator Tested = "simulator"
	TestedDeclared  Tested = "documentation" // nobody has tried it
)

// Transport names a way to reach the command line.
type Transport string

// The transports.
const (
	TransportExec  Transport = "ssh-exec"  // one SSH channel per command, with exit status
	TransportShell Transport = "ssh-shell" // an interactive SSH shell

	// The rest are unencrypted: whoever is on the way reads the password and
	// the configuration, and nothing proves who the device is. They are used
	// only where the inventory's address says so.
	TransportTelnet  Transport = "telnet"  // Telnet (RFC 854) with a login dialogue
	TransportConsole Transport = "console" // a serial console behind a TCP port; one user at a time
)

// Option is a driver option that the inventory may set for a device.
type Option struct {
	Name    string `json:"name"`
	Text    string `json:"text"` // one line of help
	Pattern string `json:"pattern,omitempty"`
}

// Shell declares how an interactive command line behaves. Patterns are RE2 and
// matched against the unterminated last line, escape sequences removed; the
// exact prompt is learned at login, the pattern only finds the first one.
type Shell struct {
	Prompt       string   `json:"prompt,omitempty"`        // "(?m)^[\\w.-]+[>#]$"
	Privileged   string   `json:"privileged,omitempty"`    // matches the prompt once no enable is needed
	Enable       string   `json:"enable,omitempty"`        // command that raises privilege; empty: none
	EnablePrompt string   `json:"enable-prompt,omitempty"` // asks for the enable password, which the agent types
	Setup        []string `json:"setup,omitempty"`         // typed once after login: "terminal length 0"
	Pager        string   `json:"pager,omitempty"`         // what a pager prints when Setup failed: "--More--"
	Sentinel     string   `json:"sentinel,omitempty"`      // a harmless comment line the device echoes back and answers with its prompt only: "!%s"; %s is the nonce
	Exit         string   `json:"exit,omitempty"`          // ends the login: "exit"
	Newline      string   `json:"newline,omitempty"`       // what Enter sends; empty: "\n"
	CommandEcho  bool     `json:"command-echo,omitempty"`  // the device echoes what is typed
	ContinueKey  string   `json:"continue-key,omitempty"`  // typed at Pager to see the rest; empty: " "
	ModePrompt   string   `json:"mode-prompt,omitempty"`   // matches prompts of other modes: "(?m)^[\\w.-]+\\(config[^)]*\\)#$"
	ErrorLine    string   `json:"error-line,omitempty"`    // a line by which the device refuses a command: "(?m)^% "

	// The login dialogue of Telnet and console, matched as Prompt is; empty:
	// the usual forms, "login:" and "Username:", "Password:".
	LoginPrompt    string `json:"login-prompt,omitempty"`
	PasswordPrompt string `json:"password-prompt,omitempty"`
}

// ArtefactSpec declares one artefact and the command that fetches it.
type ArtefactSpec struct {
	Name       string `json:"name"`
	Command    string `json:"command,omitempty"` // empty: fetched by code
	Role       Role   `json:"role"`
	Bind       Bind   `json:"bind,omitempty"`
	Required   bool   `json:"required"`             // without it an export is Partial
	Terminator string `json:"terminator,omitempty"` // RE2 that the last significant line must match
}

// LineRule names lines by pattern. Pattern is RE2 and must match from anywhere
// in the line without its newline; Artefact is empty for all.
type LineRule struct {
	ID       string `json:"id"`
	Artefact string `json:"artefact,omitempty"`
	Pattern  string `json:"pattern"`
	Why      string `json:"why"` // with the source: vendor page, or how it was measured
}

// SecretRule hides secrets in text that is shown. The pattern's submatches are
// the secret parts; without a submatch the whole line is. Patterns must not be
// anchored at the start of the line: they also run over diffs, where lines
// begin with '+', '-' or a blank, and over error texts. Multi-line secrets set
// Until, the line that ends them.
type SecretRule struct {
	ID       string `json:"id"`
	Artefact string `json:"artefact,omitempty"`
	Pattern  string `json:"pattern"`
	Until    string `json:"until,omitempty"`
}

// Rollback says who puts the old configuration back when a change is not
// confirmed.
type Rollback string

// Who rolls back.
const (
	RollbackDevice  Rollback = "device"  // the platform's own confirm timer
	RollbackDeadman Rollback = "deadman" // a job that the driver arms on the device
	RollbackSession Rollback = "session" // the platform's own confirm timer, which only the login that committed can stop: the agent keeps its session to the end
	RollbackReboot  Rollback = "reboot"  // the device reboots into its startup configuration
	RollbackNone    Rollback = "none"    // nobody: a gate, overruled by name only
)

// Can reports whether the driver lists the capability.
func (i Info) Can(c Capability) bool {
	for _, have := range i.Capabilities {
		if have == c {
			return true
		}
	}
	return false
}
