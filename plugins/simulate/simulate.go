// Package simulate runs simulated devices: a stateful command line with
// running and startup configuration, configuration sessions, timers that roll
// back, reboots and the manners of a real login (echo, paging, banners,
// enable, slow links), reachable over SSH or in process as a
// [plugins.Session].
//
// Each platform is written from its documented behaviour and from recorded
// dialogues, never from what a driver of ours sends: a driver that does the
// wrong thing must fail here as it would on the device. Where the wording of a
// device could not be confirmed the code says "unconfirmed", and a driver must
// not depend on it.
//
// It does not forward packets, does not imitate timing beyond the delays of
// [Options], and does not check passwords against the hashes in a
// configuration: a login is good if the configuration still has the user and
// the password is that of the Options.
package simulate

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// Options describe one simulated device. The zero value of every field is
// usable.
type Options struct {
	Hostname string // of an empty configuration; default as the platform's
	Model    string // product id, as the device prints it
	Serial   string // chassis serial number; "" is a made-up one
	NoSerial bool   // the unit has no serial number, as virtual ones
	MAC      string // system MAC address in colon form
	Version  string // operating system version

	// Config is the startup configuration the device boots with, in the form
	// that the device itself prints. "" is a unit as it leaves the factory.
	// Statements beyond the simulator's grammar are accepted because they
	// stand here; anywhere else they are errors.
	Config string
	Ports  []string // physical interfaces beyond those in Config: "Ethernet1"

	User       string          // default "admin"
	Password   string          // default "admin"
	Authorized gossh.PublicKey // accepted beside the password
	Enable     string          // enable password; "" asks for none
	Privileged bool            // the login starts with privilege 15
	Deny       []string        // commands, by prefix, that the login may not use
	Exec       bool            // accept ssh exec requests
	NoPassword bool            // refuse the password method: keyboard-interactive or key only
	Logins     int             // concurrent logins before more are refused; 0: no limit

	Banner      string        // printed after login, before the first prompt
	Clock       Clock         // default the real one; drives every timer
	BootTime    time.Duration // how long a reload keeps the device unreachable
	LoginDelay  time.Duration // between a login and its first prompt; real time
	Latency     time.Duration // before the answer to each command; real time
	BytesPerSec int           // speed of the line; 0: no limit
	KeepPager   bool          // "terminal length 0" is accepted and ignored

	Layout  Layout  // which of its recorded forms a listing has
	Expired Expired // what becomes of a configuration session whose timer ran out
}

// Layout chooses between the recorded forms of a platform's listings.
type Layout string

// The layouts.
const (
	LayoutNew Layout = ""    // EOS 4.35: the armed session named above the table
	LayoutOld Layout = "old" // EOS 4.2x: a "Commit Time Left" column
)

// Expired says what a configuration session looks like after its timer put
// the old configuration back. No recording shows it, so there is a choice.
type Expired string

// What an expired session looks like.
const (
	ExpiredAborted Expired = ""     // listed as aborted
	ExpiredGone    Expired = "gone" // not listed any more
)

// Names lists the platforms that can be simulated.
func Names() []string { return []string{"eos"} }

// New makes the named device.
func New(driver string, o Options) (*Device, error) {
	if driver == "eos" {
		return NewEOS(o), nil
	}
	return nil, fmt.Errorf("simulate: no device %q, only %s", driver, strings.Join(Names(), ", "))
}

// Sample is a configuration to begin with, or "" for a platform that is not
// simulated.
func Sample(driver string) string {
	if driver == "eos" {
		return eosSample
	}
	return ""
}

// Run starts the named device with the text of a configuration ("" for
// [Sample]) on the listen address, writes to w where it is and how to log in,
// and serves until ctx ends.
func Run(ctx context.Context, driver, config, listen string, w io.Writer) error {
	if !slices.Contains(Names(), driver) {
		_, err := New(driver, Options{})
		return err
	}
	if config == "" {
		config = Sample(driver)
	}
	password := rand.Text()[:16]
	d, err := New(driver, Options{Config: config, Password: password})
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("simulate %s: %w", driver, err)
	}
	_, err = fmt.Fprintf(w, "address:  %s\nuser:     %s\npassword: %s\nhost key: %s\n",
		l.Addr(), d.opts.User, password, gossh.FingerprintSHA256(d.HostKey()))
	if err != nil {
		return fmt.Errorf("simulate %s: %w", driver, err)
	}
	stop := context.AfterFunc(ctx, func() { d.Close() })
	defer stop()
	err = d.Serve(l)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
