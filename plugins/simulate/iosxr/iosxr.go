// Package iosxr simulates a Cisco IOS-XR router: configuration sessions with
// their target configuration, commit, commit replace under a trial timer that
// only its own session can end, and the exclusive lock.
//
// It is written from Cisco's configuration guides and from sessions recorded on
// XRv9k 6.5 and 24.3, never from what a driver of ours sends. What "load"
// prints, and what a second replacement by the session of a trial does, is
// recorded nowhere: the code says "unconfirmed" there, and a driver must not
// depend on it.
package iosxr

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/statements"
)

// Sample is a small provider edge router.
const Sample = `!! IOS XR Configuration version = 7.3.2
!
hostname pe1
banner login ^
Authorised use only.
^
domain name example.net
username admin
 group root-lr
 secret 10 $6$cfgvault$N0tARealHash
!
vrf BLUE
 address-family ipv4 unicast
  import route-target
   65001:10
  !
 !
!
line default
 transport input ssh
!
snmp-server community sample-community RO
ntp
 server 192.0.2.123
!
interface Loopback0
 ipv4 address 203.0.113.1 255.255.255.255
!
interface MgmtEth0/RP0/CPU0/0
 ipv4 address 192.0.2.10 255.255.255.0
!
interface GigabitEthernet0/0/0/0
 description core
 ipv4 address 198.51.100.1 255.255.255.254
!
interface GigabitEthernet0/0/0/1
 shutdown
!
prefix-set OUT
  203.0.113.0/24
end-set
!
route-policy OUT
  if destination in OUT then
    pass
  endif
end-policy
!
router static
 address-family ipv4 unicast
  0.0.0.0/0 192.0.2.1
 !
!
router bgp 65001
 bgp router-id 203.0.113.1
 address-family ipv4 unicast
  network 203.0.113.0/24
 !
 neighbor 198.51.100.0
  remote-as 65000
  address-family ipv4 unicast
   route-policy OUT out
  !
 !
!
ssh server v2
end
`

type box struct {
	d       *device.Device
	grammar *statements.Grammar
	order   *statements.Order

	model, version, serial string
	address                string

	run       *statements.Config
	kept      *statements.Config // what a reload brings back: the last commit that is no trial
	files     map[string][]byte
	changed   string
	sessions  []*session
	nextID    int
	exclusive *session
	trial     *trial
}

// session is an open configuration session.
type session struct {
	id     string
	user   string
	line   string
	opened time.Time
	typed  []string // lines of the target configuration
	failed []string // lines that load did not take
	edit   *statements.Editor
	target *statements.Config // what was typed, by itself
}

// trial is a commit that is undone unless its session confirms it.
type trial struct {
	owner  *session
	before *statements.Config
	since  time.Time
	stop   func()
}

// New makes a router that has booted with o.Config.
func New(o device.Options) *device.Device {
	d := device.New(o)
	b := &box{d: d, model: "8202-32FH-M", version: "7.3.2", serial: "FLM00000001", files: map[string][]byte{}}
	for line := range strings.Lines(o.Config) {
		if r, ok := strings.CutPrefix(strings.TrimSpace(line), "!! IOS XR Configuration version = "); ok {
			b.version = r
		}
	}
	if o.Model != "" {
		b.model = o.Model
	}
	if o.Version != "" {
		b.version = o.Version
	}
	if o.Serial != "" {
		b.serial = o.Serial
	}
	b.grammar, b.order = dialect().Learn(o.Config, o.Ports)
	b.kept = b.grammar.Parse(o.Config)
	b.complete(b.kept)
	b.address = management(b.kept)
	d.Install(b)
	return d
}

func management(c *statements.Config) string {
	if s := c.Find("interface MgmtEth0/RP0/CPU0/0"); s != nil {
		if a := statements.FindIn(s.Inner, "ipv4 address"); a != nil {
			return a.Text
		}
	}
	return ""
}

// complete adds the ports, which are shut down where nothing is said of them.
func (b *box) complete(c *statements.Config) {
	for _, p := range b.grammar.Ports {
		if c.Find("interface "+p) == nil {
			e := b.grammar.Edit(c)
			e.Enter("interface " + p)
			e.Enter("shutdown")
		}
	}
}

// Boot implements device.Box.
func (b *box) Boot() {
	if b.trial != nil {
		b.trial.stop()
		b.trial = nil
	}
	b.sessions, b.exclusive, b.changed = nil, nil, ""
	b.run = b.kept.Clone()
}

// FactoryReset implements device.Box.
func (b *box) FactoryReset() {
	b.kept = &statements.Config{}
	b.complete(b.kept)
}

// Banner implements device.Box.
func (b *box) Banner() string {
	if s := b.run.Find("banner login"); s != nil {
		return strings.Join(s.Body, "\n") + "\n"
	}
	return ""
}

// Admits implements device.Box. A router without users is at its console.
func (b *box) Admits(user string) bool {
	kept := false
	for _, s := range b.run.Top {
		if w := strings.Fields(s.Text); w[0] == "username" {
			kept = true
			if w[1] == user {
				return true
			}
		}
	}
	return !kept
}

// Reachable implements device.Box.
func (b *box) Reachable() bool {
	return b.address == "" || management(b.run) == b.address || len(b.kept.Top) == len(b.grammar.Ports)
}

func (b *box) hostname() string {
	if s := b.run.Find("hostname"); s != nil {
		return strings.TrimPrefix(s.Text, "hostname ")
	}
	return "ios"
}

func (b *box) text(c *statements.Config) string {
	out := "Building configuration...\n!! IOS XR Configuration version = " + b.version + "\n"
	if b.changed != "" {
		out += b.changed + "\n"
	}
	return out + "!\n" + b.order.Render(c) + "\n"
}

// Running implements device.Box.
func (b *box) Running() string { return b.text(b.run) }

// Startup implements device.Box: what a reload brings back. The device shows
// no such thing; a commit persists by itself.
func (b *box) Startup() string { return b.order.Render(b.kept) }

func (b *box) stamp() string {
	return b.d.Clock().Now().UTC().Format("Mon Jan _2 15:04:05.000 UTC") + "\n"
}

func path(name string) (string, bool) {
	for _, p := range []string{"disk0:/", "disk0:", "harddisk:/", "harddisk:"} {
		if n, ok := strings.CutPrefix(name, p); ok {
			return n, n != ""
		}
	}
	return name, !strings.Contains(name, ":")
}

// ReadFile implements device.Files.
func (b *box) ReadFile(name string) ([]byte, error) {
	b.d.Lock()
	defer b.d.Unlock()
	n, ok := path(name)
	data, have := b.files[n]
	if !ok || !have {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

// WriteFile implements device.Files.
func (b *box) WriteFile(name string, data []byte) error {
	n, ok := path(name)
	if !ok {
		return fs.ErrPermission
	}
	b.d.Lock()
	defer b.d.Unlock()
	b.files[n] = slices.Clone(data)
	return nil
}

// Offers implements device.Streamer.
func (b *box) Offers(service, arg string) bool {
	return service == "exec" && strings.HasPrefix(arg, "scp ")
}

// Stream implements device.Streamer.
func (b *box) Stream(p *device.Process) int { return p.SCP(b) }

func (b *box) names() []string { return slices.Sorted(maps.Keys(b.files)) }

// open begins a configuration session.
func (b *box) open(t *device.TTY) *session {
	b.nextID++
	s := &session{id: fmt.Sprintf("00001000-%08x-00000000", 0x3595+b.nextID*28), user: t.User, line: t.Name, opened: b.d.Clock().Now(), target: &statements.Config{}}
	s.edit = b.grammar.Edit(s.target)
	b.sessions = append(b.sessions, s)
	return s
}

func (b *box) close(s *session) {
	b.sessions = slices.DeleteFunc(b.sessions, func(x *session) bool { return x == s })
	if b.exclusive == s {
		b.exclusive = nil
	}
}

// merged is the running configuration with a session's lines typed into it.
func (b *box) merged(s *session) *statements.Config {
	c := b.run.Clone()
	e := b.grammar.Edit(c)
	for _, l := range s.typed {
		e.Enter(l)
	}
	b.complete(c)
	return c
}

// replaced is the target alone.
func (b *box) replaced(s *session) *statements.Config {
	c := s.target.Clone()
	b.complete(c)
	return c
}

// semantic finds what only a commit refuses: an interface in a VRF that there
// is not.
func (b *box) semantic(c *statements.Config) string {
	for _, s := range c.Top {
		if s.Mode != "if" {
			continue
		}
		if v := statements.FindIn(s.Inner, "vrf"); v != nil && c.Find(v.Text) == nil {
			return s.Text + "\n " + v.Text + "\n!!% ERROR: The specified VRF does not exist\n!\n"
		}
	}
	return ""
}

const failed = "% Failed to commit one or more configuration items during a pseudo-atomic operation. All changes made have been reverted. Please issue 'show configuration failed [inheritance]' from this session to view the errors\n"

// commit makes a configuration the running one; within, for that long unless
// it is confirmed.
func (b *box) commit(s *session, c *statements.Config, within time.Duration) string {
	if b.trial != nil && b.trial.owner != s {
		return fmt.Sprintf("%% Cannot commit because there is an unexpired trial/rollback session '%s'.\n", b.trial.owner.id)
	}
	if b.exclusive != nil && b.exclusive != s {
		return "% Cannot commit: the configuration namespace is locked by another agent.\n" // unconfirmed
	}
	if why := b.semantic(c); why != "" {
		s.failed = []string{why}
		return failed
	}
	before := b.run
	if b.trial != nil { // unconfirmed: the session of a trial may replace it
		b.trial.stop()
		b.trial = nil
	}
	changes := b.order.Render(before) != b.order.Render(c)
	b.run = c
	b.changed = "!! Last configuration change at " + b.d.Clock().Now().UTC().Format("Mon Jan _2 15:04:05 2006") + " by " + s.user
	s.typed, s.target = nil, &statements.Config{}
	s.edit = b.grammar.Edit(s.target)
	switch {
	case within == 0:
		b.kept = c.Clone()
	case changes: // a trial that changes nothing is none
		t := &trial{owner: s, before: before, since: b.d.Clock().Now()}
		t.stop = b.d.After(within, func() {
			if b.trial == t {
				b.trial = nil
				b.run = t.before
				b.d.Changed()
			}
		})
		b.trial = t
	}
	b.d.Changed()
	return ""
}

// confirm is "commit" without changes.
func (b *box) confirm(s *session) string {
	if b.trial == nil || b.trial.owner != s {
		return "No configuration changes to commit.\n"
	}
	b.trial.stop()
	b.trial = nil
	b.kept = b.run.Clone()
	return "% Confirming commit for trial session.\n"
}

// changes is "show configuration changes diff": what a replacement would do.
func (b *box) changes(s *session) string {
	out := "Building configuration...\n!! IOS XR Configuration version = " + b.version + "\n"
	return out + b.diff(b.run.Top, b.replaced(s).Top, "") + "end\n\n"
}

func (b *box) diff(from, to []*statements.Statement, indent string) string {
	var out strings.Builder
	all := func(sign string, s *statements.Statement) {
		for l := range strings.Lines(b.order.One(s, indent)) {
			out.WriteString(sign + " " + l)
		}
	}
	same := func(list []*statements.Statement, s *statements.Statement) *statements.Statement {
		for _, x := range list {
			if x.Text == s.Text && slices.Equal(x.Body, s.Body) {
				return x
			}
		}
		return nil
	}
	for _, s := range from {
		if same(to, s) == nil {
			all("-", s)
		}
	}
	for _, s := range to {
		had := same(from, s)
		if had == nil {
			all("+", s)
			continue
		}
		if inner := b.diff(had.Inner, s.Inner, indent+" "); inner != "" {
			out.WriteString("  " + indent + s.Text + "\n" + inner)
		}
	}
	return out.String()
}

// detail is "show configuration sessions detail"; nothing if none is open.
func (b *box) detail() string {
	var out strings.Builder
	n := 0
	row := func(id, line, lock, user, client, process string, since time.Time) {
		n++
		fmt.Fprintf(&out, "  %d) Session: %s  %s\n     Line: %-25s Lock: %s\n     User: %-25s Client: %s\n     Process: %-22s PID: %d\n     Node:                           Elapsed Time: %d sec.\n\n",
			n, id, since.UTC().Format("Mon Jan _2 15:04:05 2006"), line, lock, user, client, process, 13700+n, int(b.d.Clock().Now().Sub(since).Seconds()))
	}
	for _, s := range b.sessions {
		lock := "None"
		if b.exclusive == s {
			lock = "Reserved"
		}
		row(s.id, s.line, lock, s.user, "CLI", "config", s.opened)
	}
	if t := b.trial; t != nil {
		row(strings.Replace(t.owner.id, "00001000", "00001001", 1), t.owner.line, "None", t.owner.user, "commit-confirm", "cfgmgr_trial_co", t.since)
	}
	return out.String()
}
