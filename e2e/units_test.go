package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// bench is a simulated unit at the end of a cable.
type bench struct {
	*device.Device
	*cable
	driver, serial string
	clock          *skipClock // of a unit whose timers the tests hasten
}

// unitPassword is the password of every simulated unit, and the one that
// enables.
const unitPassword = "switch-password"

// newUnit starts a simulated unit of a platform at the end of a cable, as it is
// in use or, wiped, as it leaves the factory.
func newUnit(t *testing.T, driver, serial string, wiped bool) *bench {
	t.Helper()
	return startUnit(t, driver, device.Options{Config: simulate.Sample(driver), Serial: serial, BootTime: 200 * time.Millisecond}, wiped)
}

func startUnit(t *testing.T, driver string, o device.Options, wiped bool) *bench {
	t.Helper()
	o.User, o.Password = "admin", unitPassword
	switch driver {
	case "ios":
		o.Enable = unitPassword
	case "openwrt":
		// It has no serial number: a hardware address names it.
		o.User, o.MAC = "root", "02:00:00:00:"+o.Serial[len(o.Serial)-4:len(o.Serial)-2]+":"+o.Serial[len(o.Serial)-2:]
		o.Serial = "mac:" + o.MAC
	case "vyos":
		o.User = "vyos"
	}
	var clock *skipClock
	if driver == "junos" {
		clock = &skipClock{}
		o.Clock = clock
	}
	d, err := simulate.New(driver, o)
	if err != nil {
		t.Fatal(err)
	}
	b := plug(t, driver, o.Serial, d, wiped)
	b.clock = clock
	return b
}

// plug puts a unit at the end of a cable.
func plug(t *testing.T, driver, serial string, d *device.Device, wiped bool) *bench {
	t.Helper()
	addr, err := d.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if wiped {
		d.FactoryReset()
	}
	return &bench{Device: d, cable: newCable(t, addr.String()), driver: driver, serial: serial}
}

// addUnit puts a unit into the inventory, trusts and backs it up.
func (h *home) addUnit(b *bench, name string) {
	h.t.Helper()
	pw := h.secretFile(name+".pw", unitPassword)
	args := []string{"device", "add", name, "--driver", b.driver, "--address", b.l.Addr().String(), "--user", b.Options().User, "--password-file", pw}
	if b.Options().Enable != "" {
		args = append(args, "--enable-file", pw)
	}
	h.must(args...)
	h.must("device", "trust", name, "--yes")
	h.must("backup", name)
}

// settings drops from a configuration, as a unit shows it, the comments and
// headers that are written anew each time, and the unit's own serial number.
func settings(config string) string {
	var b strings.Builder
	for line := range strings.Lines(config) {
		switch text := strings.TrimSpace(line); {
		case text == "", text[0] == '!', text[0] == '#', strings.HasPrefix(text, "//"), strings.HasPrefix(text, "Building configuration"), strings.HasPrefix(text, "Current configuration"), strings.HasPrefix(text, "license udi "):
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}

// typeAt types lines at a unit's console; none of them may be refused.
func typeAt(t *testing.T, d *device.Device, lines ...string) {
	t.Helper()
	cli, err := d.Session().CLI(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	defer cli.Close()
	for _, text := range lines {
		out, err := cli.Run(t.Context(), plugins.Command{Text: text, Write: true})
		if said := string(out.Stdout); err != nil || strings.Contains(said, "%") || strings.Contains(said, "syntax error") || strings.Contains(said, "not found") || strings.Contains(said, "Nothing to delete") || strings.Contains(said, "Invalid command") {
			t.Errorf("%s: %s %v", text, out.Stdout, err)
		}
	}
}
