package corpus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/builtin"
)

// Leaf is one value of an interface: "Ethernet1 mtu" is "9000". An address is
// a leaf of its own, "Ethernet1 ipv4 192.0.2.1/24".
type Leaf struct{ Interface, Name, Value string }

// The names of leaves.
const (
	leafName        = "name"
	leafDescription = "description"
	leafEnabled     = "enabled"
	leafMTU         = "mtu"
	leafIPv4        = "ipv4"
	leafIPv6        = "ipv6"
)

// Device is a laboratory device: its configuration, and what it said of its
// interfaces, nil if that was not written down.
type Device struct {
	Lab, Name, Driver string
	Config            []byte
	FRR               []byte // of SONiC: the file of its routing daemons, nil if there is none
	Said              []Leaf
}

// Labs reads every device of the corpus that one of our drivers is for.
func Labs(folder string) ([]Device, error) {
	found, err := filepath.Glob(filepath.Join(folder, "lab", "*", "*configs", "*", "*"))
	if err != nil {
		return nil, err
	}
	var out []Device
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(filepath.Dir(path))
		lab := filepath.Dir(filepath.Dir(filepath.Dir(path)))
		d := Device{Lab: filepath.Base(lab), Name: name, Driver: driverOf(string(text)), Config: text}
		if beside := filepath.Join(filepath.Dir(path), "config_db.json"); d.Driver == "frr" && exists(beside) {
			continue // FRR's file of a SONiC switch, which is read with its database
		}
		if d.Driver == "sonic" {
			if d.FRR, err = os.ReadFile(filepath.Join(filepath.Dir(path), "frr.conf")); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
		if d.Driver == "" {
			continue
		}
		if d.Driver == "frr" { // the machine's other files stand before it in one text
			d.Config = text[max(0, strings.Index(string(text), "\nfrr version ")):]
		}
		shows, _ := filepath.Glob(filepath.Join(lab, "show", name, "*"))
		for _, show := range shows {
			said, err := readShow(show)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", show, err)
			}
			d.Said = append(d.Said, said...)
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no laboratory device", folder)
	}
	return out, nil
}

var configMarks = []struct {
	driver string
	mark   *regexp.Regexp
}{
	{"frr", regexp.MustCompile(`(?m)^frr version `)},
	{"eos", regexp.MustCompile(`(?m)^! .*\bEOS-\d`)},
	{"iosxr", regexp.MustCompile(`(?m)^!! IOS XR Configuration`)},
	{"nxos", regexp.MustCompile(`(?m)^!Command: show running-config`)},
	{"junos", regexp.MustCompile(`(?m)^set (?:version|system|interfaces|policy-options|protocols) `)},
	{"sonic", regexp.MustCompile(`"DEVICE_METADATA"`)},
	{"ios", regexp.MustCompile(`(?m)^(?:Current configuration : \d+ bytes|service timestamps debug)`)},
}

// driverOf recognises whose configuration a text is; "" if no driver of ours.
func driverOf(text string) string {
	for _, m := range configMarks {
		if m.mark.MatchString(text) {
			if _, ok := builtin.Driver(m.driver); ok {
				return m.driver
			}
			return ""
		}
	}
	return ""
}

// Score counts what a driver made of the devices of one platform.
type Score struct {
	Driver  string
	Devices int

	Yielded, Right int // leaves that the tree has of interfaces the device spoke of; those that agree
	Told, Found    int // leaves that the device told and a configuration holds; those that the tree has

	Lines   map[plugins.Class]int // without framing
	Framing int                   // comments and what ends a block
	Wrong   []string              // the leaves that differ
}

var privateUnit = regexp.MustCompile(`\.(?:16[3-9]|32[7-9])\d\d$`)

// mentions reports whether a configuration speaks of an interface, or of that
// whose unit it is. The units that Junos makes for itself are not configured.
func mentions(config []byte, iface string) bool {
	base, _, _ := strings.Cut(iface, ".")
	return strings.Contains(string(config), base) && !privateUnit.MatchString(iface)
}

// framing are lines that carry nothing in any configuration: comments and what
// ends a block or the text.
var framing = regexp.MustCompile(`^(?:!.*|#.*|end|exit\S*|[{}])$`)

// Significant is how many lines there are that do not change by themselves.
func (s Score) Significant() int { return s.Framing + s.Content() }

// Content is how many of them carry configuration.
func (s Score) Content() int {
	n := 0
	for class, lines := range s.Lines {
		if class != plugins.Volatile {
			n += lines
		}
	}
	return n
}

// Share is the part of the significant lines that has the class, in percent.
func (s Score) Share(c plugins.Class) float64 { return percent(s.Lines[c], s.Significant()) }

// OfContent is Share without comments and ends of blocks, stricter where a
// platform prints many.
func (s Score) OfContent(c plugins.Class) float64 { return percent(s.Lines[c], s.Content()) }

// Precision and Recall are in percent; 100 of nothing.
func (s Score) Precision() float64 { return percent(s.Right, s.Yielded) }
func (s Score) Recall() float64    { return percent(s.Found, s.Told) }

func percent(part, whole int) float64 {
	if whole == 0 {
		return 100
	}
	return 100 * float64(part) / float64(whole)
}

// Measure normalises every device and scores the platforms, by driver.
func Measure(ctx context.Context, devices []Device) ([]Score, error) {
	scores := map[string]*Score{}
	for _, d := range devices {
		s := scores[d.Driver]
		if s == nil {
			s = &Score{Driver: d.Driver, Lines: map[plugins.Class]int{}}
			scores[d.Driver] = s
		}
		if err := s.add(ctx, d); err != nil {
			return nil, fmt.Errorf("%s of %s: %w", d.Name, d.Lab, err)
		}
	}
	var out []Score
	for _, name := range slices.Sorted(maps.Keys(scores)) {
		out = append(out, *scores[name])
	}
	return out, nil
}

func (s *Score) add(ctx context.Context, d Device) error {
	drv, ok := builtin.Driver(d.Driver)
	if !ok {
		return fmt.Errorf("no driver %s", d.Driver)
	}
	native := []plugins.Artefact{{Name: running(drv), Role: plugins.RoleRunning, Data: d.Config}}
	if d.FRR != nil {
		native = append(native, plugins.Artefact{Name: "etc/sonic/frr/frr.conf", Role: plugins.RoleStartup, Data: d.FRR})
	}
	n, err := drv.Normalize(ctx, plugins.Facts{}, native)
	if err != nil {
		return err
	}
	s.Devices++
	s.count(native, n)
	if len(d.Said) == 0 {
		return nil
	}
	yields, err := treeLeaves(n.Tree)
	if err != nil {
		return err
	}
	s.compare(d, yields)
	return nil
}

// running is the name of the artefact that holds a driver's running
// configuration.
func running(drv plugins.Driver) string {
	for _, a := range drv.Info().Artefacts {
		if a.Role == plugins.RoleRunning {
			return a.Name
		}
	}
	return ""
}

// count adds the lines of one device's account.
func (s *Score) count(native []plugins.Artefact, n *plugins.Normalized) {
	for _, c := range n.Coverage {
		for class, lines := range c.Lines {
			s.Lines[class] += lines
		}
	}
	text := map[string][]string{}
	for _, a := range native {
		text[a.Name] = strings.Split(string(a.Data), "\n")
	}
	for _, l := range n.Residual {
		if l.Class == plugins.Boilerplate && framing.MatchString(strings.TrimSpace(text[l.Artefact][l.Number-1])) {
			s.Lines[plugins.Boilerplate]--
			s.Framing++
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// compare holds the tree's leaves against the device's. An interface that the
// device did not speak of proves nothing.
func (s *Score) compare(d Device, yields []Leaf) {
	said, spoken := map[Leaf]bool{}, map[string]bool{}
	values := map[[2]string]string{}
	for _, l := range d.Said {
		said[l] = true
		spoken[l.Interface] = true
		values[[2]string{l.Interface, l.Name}] = l.Value
	}
	have, named := map[Leaf]bool{}, map[string]bool{}
	for _, l := range yields {
		have[l] = true
		named[l.Interface] = true
		if _, told := values[[2]string{l.Interface, l.Name}]; !spoken[l.Interface] || !told && l.Name != leafIPv4 && l.Name != leafIPv6 {
			continue
		}
		s.Yielded++
		if said[l] {
			s.Right++
		} else {
			s.Wrong = append(s.Wrong, fmt.Sprintf("%s %s: %s %s is %q to us, the device says %q", d.Lab, d.Name, l.Interface, l.Name, l.Value, values[[2]string{l.Interface, l.Name}]))
		}
	}
	for l := range said {
		// What nobody configured is not in a configuration: a default MTU, an
		// enabled interface, one that the configuration does not name.
		if l.Name == leafMTU || l.Name == leafEnabled && l.Value == "true" || !named[l.Interface] && (l.Name == leafName || !mentions(d.Config, l.Interface)) {
			continue
		}
		s.Told++
		if have[l] {
			s.Found++
		} else {
			s.Wrong = append(s.Wrong, fmt.Sprintf("%s %s: the device says that %s %s is %q, and we do not", d.Lab, d.Name, l.Interface, l.Name, l.Value))
		}
	}
}

// MostBoilerplate is how much of the significant lines may be boilerplate, in
// percent.
const MostBoilerplate = 15

// Bound is below which share of the significant lines what is unparsed has to
// stay, in percent; false for a driver without one.
func Bound(driver string) (float64, bool) {
	switch driver {
	case "eos", "ios", "nxos":
		return 5, true
	case "iosxr", "junos", "sonic":
		return 10, true
	}
	return 0, false
}
