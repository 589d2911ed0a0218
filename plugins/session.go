package plugins

import (
	"context"
	"net"
)

// Session is an open, authenticated conversation with one device. The agent
// owns it: it dialled, proved who the device is and who we are, and closes it.
// It lives until the agent closes it. Safe for concurrent use; the agent keeps
// to Info.MaxSessions on the device.
//
// Implementations: agent/session (SSH and others), plugins/internal/wire (a
// plugin's view of the agent's), plugins/plugintest (replay with faults).
type Session interface {
	// ID names the session for logs and idempotency; it is not a secret and
	// tells nothing of the device.
	ID() string

	// Options are the device's driver options from the inventory, checked
	// against Info.Options. Never credentials.
	Options() map[string]string

	// Run executes one command and returns everything that it printed. No
	// state of the command line survives to the next Run. A command that the
	// device refuses is not an error: its text is in Output. Errors:
	// ErrSessionLost when the connection went away (for a Write command the
	// outcome is then unknown; a read has already been retried by the agent),
	// context errors on deadline, ErrTooLarge when the output passes the
	// agent's bound.
	Run(ctx context.Context, c Command) (Output, error)

	// CLI opens one login on the device's command line, on which modes
	// survive from Run to Run (configuration mode, a configuration session).
	// errors.ErrUnsupported on devices without one.
	CLI(ctx context.Context) (CLI, error)

	// Open opens a byte stream to a service of the device, authenticated by
	// the agent: "exec" (arg: the command), "subsystem" (arg: its name),
	// "http", "grpc", "ovsdb", "coap" (arg: empty). For datagram services one
	// Read or Write is one datagram. errors.ErrUnsupported if the inventory
	// has no such service for the device.
	Open(ctx context.Context, service, arg string) (net.Conn, error)
}

// CLI is one login on a device's command line.
type CLI interface {
	// Run types one command and reads up to the next prompt. Errors as
	// Session.Run; after ErrSessionLost or a deadline the CLI is dead.
	Run(ctx context.Context, c Command) (Output, error)
	// Close ends the login. It is not an error to close twice.
	Close() error
}

// Command is one command for the device.
type Command struct {
	Text    string   // one line, without the newline
	Input   []byte   // what the command reads afterwards: standard input of an exec channel; on a shell it is typed after the command and ended by Ctrl-D
	Answers []Answer // replies to prompts while the command runs
	Write   bool     // changes the device: never retried
}

// Answer is the reply to a prompt that a command may print. While answers are
// pending nothing is typed ahead. An answer may be used any number of times.
type Answer struct {
	Prompt string // RE2, matched against the unterminated last line
	Reply  string // typed as it is, followed by a newline unless NoNewline
	// NoNewline leaves the newline away, for prompts that take one key.
	NoNewline bool
}

// End says how the end of an output was known.
type End string

// The ends.
const (
	EndStatus   End = "status"   // the channel carried an exit status
	EndClosed   End = "closed"   // the channel was closed in order, without a status
	EndSentinel End = "sentinel" // the prompt, proved by the agent's sentinel
	EndCut      End = "cut"      // the output stops: the connection went away or a pager waited; never proof of completeness
)

// Output is what a command printed.
type Output struct {
	Stdout []byte // from a shell: echo, prompt and pager removed, CR LF made LF
	Stderr []byte // empty on a shell, where both are one stream
	Exit   *int   // exit status, where the channel carries one
	End    End
}

// OK reports whether the output ended in order and, if there was an exit
// status, it was 0.
func (o Output) OK() bool {
	return o.End != EndCut && (o.Exit == nil || *o.Exit == 0)
}
