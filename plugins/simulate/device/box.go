package device

import "io"

// Box is a platform: what a Device is inside. A constructor makes one and
// hands it to [Device.Install], which boots it.
//
// The Device is locked around every call except Login and what follows from
// it (the methods of CommandLine, Execer and Streamer): those lock it
// themselves, for as long as they look at or change the state and never while
// they wait for input. A timer that [Device.After] starts runs with the lock
// held.
//
// What survives a reboot belongs in the Box and stays over Boot (startup
// configuration, files, archived and rescue configurations, saved
// checkpoints); what does not (candidates, locks, timers, the running
// configuration) is made anew there.
type Box interface {
	Login(t *TTY) CommandLine // a fresh command line; without the lock
	Banner() string           // shown before the login; "" for none
	Admits(user string) bool  // the configuration knows the user
	Reachable() bool          // the configuration leaves the management address up
	Running() string          // as the device shows it
	Startup() string          // as the device shows it; "" if there is none
	FactoryReset()            // erases what the platform's own reset erases; a Boot follows
	Boot()                    // comes up with what was saved, or as from the factory
}

// CommandLine is one login's place in the platform's command line: its mode,
// its privilege, and its candidate where that is private. Only the goroutine
// of the login uses it, without the lock.
type CommandLine interface {
	// Prompt is what is shown before the next line; "" while the platform
	// reads text without one, as in a banner.
	Prompt() string
	// Run executes one line and reports whether the login goes on. It talks
	// to the user through t: Print with paging, Ask, Secret, Key, Paste.
	Run(t *TTY, line string) bool
}

// Ender is a CommandLine that wants to know how it ended: by itself, by
// Disconnect, by a fault, or because the device reboots. It is called once,
// with the lock held, after the last Run returned: here a private candidate is
// thrown away, a lock is freed, a change that lives only as long as its login
// is undone.
type Ender interface{ End() }

// Keyer is a CommandLine that acts on control characters (Ctrl-X of a safe
// mode) before they become part of a line. A caller in process types them at
// the beginning of a command. handled false leaves the key to the line
// discipline.
type Keyer interface {
	ControlKey(t *TTY, key byte) (handled bool)
}

// Asker is a Box with words of its own for the login dialogue of Telnet and
// the console: "core1 login: ". Others ask "Username: ". It is called with the
// lock held.
type Asker interface{ LoginPrompt() string }

// Execer is a Box that runs commands on an SSH exec channel with an exit
// status, as a Unix shell does. Exec runs without the lock and returns the
// status, or a negative number if the platform closes the channel without
// one. [Device.ExecSession] gives a session whose Run uses it.
type Execer interface{ Exec(p *Process) (status int) }

// Streamer is a Box that offers byte streams beside its command line: an exec
// command that copies files on a platform whose other commands need a shell
// ("scp -t flash:x", see [Process.SCP]), or a subsystem.
type Streamer interface {
	// Offers reports whether the device has the service: "exec" with a command
	// line, or "subsystem" with a name. What it has not is refused.
	Offers(service, arg string) bool
	// Stream serves it without the lock and returns as Execer.Exec does.
	Stream(p *Process) (status int)
}

// Process is one exec channel or subsystem.
type Process struct {
	User    string
	Service string // "exec" or "subsystem"
	Arg     string // the command line, or the subsystem's name

	In       io.Reader
	Out, Err io.Writer
}
