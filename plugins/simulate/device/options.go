package device

import (
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// Options describe one simulated device. The zero value of every field is
// usable. What only one platform knows is not here but beside that platform's
// constructor.
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

	// Neighbors are who answers on the cables, by port: "spine1 Ethernet7".
	Neighbors map[string]string

	User       string          // default "admin"
	Password   string          // default "admin"
	Authorized gossh.PublicKey // accepted beside the password
	Enable     string          // enable password; "" asks for none
	Privileged bool            // the login starts with the highest privilege
	Deny       []string        // commands, by prefix, that the login may not use
	Exec       bool            // accept ssh exec requests on a platform whose Box is no Execer
	NoPassword bool            // refuse the password method: keyboard-interactive or key only
	Logins     int             // concurrent logins before more are refused; 0: no limit

	Banner      string        // printed after login, before the first prompt
	Clock       Clock         // default the real one; drives every timer
	BootTime    time.Duration // how long a reload keeps the device unreachable
	LoginDelay  time.Duration // between a login and its first prompt; real time
	Latency     time.Duration // before the answer to each command; real time
	BytesPerSec int           // speed of the line; 0: no limit
	KeepPager   bool          // the command that turns paging off is accepted and ignored
}
