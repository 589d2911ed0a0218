// Package inventory reads and writes devices.yaml: which devices there are,
// how each is reached, and where its credentials are found.
//
// It holds credentials by reference only (an environment variable, a file, a
// command, ssh-agent) and refuses a file in which a value stands in the place
// of a reference. It connects to nothing and knows no driver: whether a driver
// exists, and whether it accepts a device's options, is the agent's question.
//
// The file belongs to the operator. [Inventory.Save] edits the lines that
// change and leaves every other byte alone, comments and order included.
package inventory

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// maxFile bounds devices.yaml; 10,000 devices take about 3 MiB.
const maxFile = 64 << 20

// Inventory is the content of one devices.yaml. Changes stay in memory until
// Save. It is not safe for concurrent use; two processes are, see Save.
type Inventory struct {
	path string
	base *content // as loaded or last saved: what Save compares with

	devices []Device // own values only, in file order
	jumps   []Jump
	groups  []Device // defaults, by Name; own values only

	byName map[string]int // index into devices, by name
	dirty  map[string]bool
	dirtyJ map[string]bool
}

// Load reads the inventory at path. A file that does not exist is an empty
// inventory, which Save creates. What is wrong with a file comes back as one
// error that matches ErrConfig and joins an *Error for each fault.
func Load(path string) (*Inventory, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("inventory: %w", err)
	}
	text, err := readFile(abs)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("inventory: %w", err)
	}
	c, err := parse(abs, text)
	if err != nil {
		return nil, err
	}
	return fromContent(abs, c), nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{File: path, Text: "not a regular file"}
	}
	if info.Size() > maxFile {
		return nil, &Error{File: path, Text: fmt.Sprintf("larger than %d MiB", maxFile>>20)}
	}
	return os.ReadFile(path)
}

func fromContent(path string, c *content) *Inventory {
	inv := &Inventory{
		path:    path,
		base:    c,
		devices: slices.Clone(c.devices),
		jumps:   slices.Clone(c.jumps),
		groups:  c.groups,
		dirty:   map[string]bool{},
		dirtyJ:  map[string]bool{},
	}
	inv.index()
	return inv
}

func (inv *Inventory) index() {
	inv.byName = make(map[string]int, len(inv.devices))
	for i, d := range inv.devices {
		inv.byName[d.Name] = i
	}
}

// Path is the absolute path of the file.
func (inv *Inventory) Path() string { return inv.path }

// Devices returns every device in file order, with the defaults of its groups
// filled in. The caller owns the result.
func (inv *Inventory) Devices() []Device {
	defaults := inv.defaults()
	out := make([]Device, len(inv.devices))
	for i := range inv.devices {
		out[i] = inv.effective(&inv.devices[i], defaults)
	}
	return out
}

// Device returns the device of that name, with the defaults of its groups
// filled in. Without one it fails with ErrNoDevice and names the nearest.
func (inv *Inventory) Device(name string) (Device, error) {
	i, ok := inv.byName[name]
	if !ok {
		return Device{}, inv.noDevice(name)
	}
	return inv.effective(&inv.devices[i], inv.defaults()), nil
}

// ByID returns the device with that id, with the defaults of its groups filled
// in.
func (inv *Inventory) ByID(id string) (Device, error) {
	for i := range inv.devices {
		if inv.devices[i].ID == id {
			return inv.effective(&inv.devices[i], inv.defaults()), nil
		}
	}
	return Device{}, fmt.Errorf("%w with id %s in %s", ErrNoDevice, id, inv.path)
}

// Groups returns the names of all groups, declared or only used, sorted.
func (inv *Inventory) Groups() []string {
	seen := map[string]bool{}
	for _, g := range inv.groups {
		seen[g.Name] = true
	}
	for _, d := range inv.devices {
		for _, g := range d.Groups {
			seen[g] = true
		}
	}
	out := make([]string, 0, len(seen))
	for g := range seen {
		out = append(out, g)
	}
	sort.Strings(out)
	return out
}

// Group returns the devices of a group in file order. It fails with ErrNoGroup
// if no device is in it and the file does not declare it.
func (inv *Inventory) Group(name string) ([]Device, error) {
	defaults := inv.defaults()
	var out []Device
	for i := range inv.devices {
		if slices.Contains(inv.devices[i].Groups, name) {
			out = append(out, inv.effective(&inv.devices[i], defaults))
		}
	}
	if _, declared := defaults[name]; out == nil && !declared {
		return nil, fmt.Errorf("%w %q in %s%s", ErrNoGroup, name, inv.path, didYouMean(name, inv.Groups()))
	}
	return out, nil
}

// Jumps returns the jump hosts in file order.
func (inv *Inventory) Jumps() []Jump {
	out := make([]Jump, len(inv.jumps))
	for i, j := range inv.jumps {
		out[i] = j.clone()
	}
	return out
}

// Jump returns the jump host of that name.
func (inv *Inventory) Jump(name string) (Jump, error) {
	for _, j := range inv.jumps {
		if j.Name == name {
			return j.clone(), nil
		}
	}
	var have []string
	for _, j := range inv.jumps {
		have = append(have, j.Name)
	}
	return Jump{}, fmt.Errorf("no jump host %q in %s%s: %w", name, inv.path, didYouMean(name, have), ErrConfig)
}

// Add adds a device at the end and returns it as it then stands. It makes the
// id if d has none. It fails with ErrExists if the name or the id is taken.
func (inv *Inventory) Add(d Device) (Device, error) {
	added, err := inv.AddAll([]Device{d})
	if err != nil {
		return Device{}, err
	}
	return added[0], nil
}

// AddAll adds all of the devices or, if there is something wrong with one,
// none; the error joins what is wrong with each.
func (inv *Inventory) AddAll(ds []Device) ([]Device, error) {
	defaults := inv.defaults()
	ids, folded := make(map[string]bool), make(map[string]string)
	for _, d := range inv.devices {
		ids[d.ID] = true
		folded[strings.ToLower(d.Name)] = d.Name
	}
	fresh := make([]Device, 0, len(ds))
	var errs []error
	for _, d := range ds {
		d = d.clone()
		if d.ID == "" {
			d.ID = NewID()
		}
		d.mark()
		d.bind(inv.path)
		eff := inv.effective(&d, defaults)
		have, taken := folded[strings.ToLower(d.Name)]
		switch {
		case taken:
			errs = append(errs, fmt.Errorf("device %s: %w as %s", d.Name, ErrExists, have))
		case ids[d.ID]:
			errs = append(errs, fmt.Errorf("device %s: %w: another device has the same id", d.Name, ErrExists))
		default:
			if err := eff.check(inv.jumpNames()); err != nil {
				errs = append(errs, fmt.Errorf("device %s: %w", d.Name, err))
			}
		}
		ids[d.ID] = true
		folded[strings.ToLower(d.Name)] = d.Name
		fresh = append(fresh, d)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	out := make([]Device, len(fresh))
	for i := range fresh {
		inv.byName[fresh[i].Name] = len(inv.devices)
		inv.devices = append(inv.devices, fresh[i])
		inv.dirty[fresh[i].ID] = true
		out[i] = inv.effective(&fresh[i], defaults)
	}
	return out, nil
}

// Update lets edit change the device's own values, without the defaults of its
// groups. The name and the id stay as they are: Rename changes the name,
// nothing the id. If edit fails or the outcome is not valid, nothing changes.
func (inv *Inventory) Update(name string, edit func(*Device) error) error {
	i, ok := inv.byName[name]
	if !ok {
		return inv.noDevice(name)
	}
	old := inv.devices[i]
	d := old.clone()
	if err := edit(&d); err != nil {
		return err
	}
	if d.ID != old.ID || d.Name != old.Name {
		return fmt.Errorf("device %s: update changes neither name nor id", name)
	}
	d.own = old.own
	if d.Legacy != old.Legacy {
		d.own |= ownLegacy // "legacy: false" has to overrule a group
	}
	d.mark()
	d.bind(inv.path)
	eff := inv.effective(&d, inv.defaults())
	if err := eff.check(inv.jumpNames()); err != nil {
		return fmt.Errorf("device %s: %w", name, err)
	}
	inv.devices[i] = d
	inv.dirty[d.ID] = true
	return nil
}

// UpdateJump lets edit change a jump host, to pin its host keys for example.
func (inv *Inventory) UpdateJump(name string, edit func(*Jump) error) error {
	for i := range inv.jumps {
		if inv.jumps[i].Name != name {
			continue
		}
		j := inv.jumps[i].clone()
		if err := edit(&j); err != nil {
			return err
		}
		if j.Name != name {
			return fmt.Errorf("jump host %s: update does not change the name", name)
		}
		j.bind(inv.path)
		if err := j.check(); err != nil {
			return fmt.Errorf("jump host %s: %w", name, err)
		}
		inv.jumps[i] = j
		inv.dirtyJ[name] = true
		return nil
	}
	_, err := inv.Jump(name)
	return err
}

// Remove takes the device out of the inventory. Its snapshots stay in the
// vault under its id.
func (inv *Inventory) Remove(name string) error {
	i, ok := inv.byName[name]
	if !ok {
		return inv.noDevice(name)
	}
	inv.dirty[inv.devices[i].ID] = true
	inv.devices = slices.Delete(inv.devices, i, i+1)
	inv.index()
	return nil
}

// Rename gives the device another name. Its id, and with it its history, stays.
func (inv *Inventory) Rename(from, to string) error {
	i, ok := inv.byName[from]
	if !ok {
		return inv.noDevice(from)
	}
	if err := CheckName(to); err != nil {
		return err
	}
	for _, d := range inv.devices {
		if strings.EqualFold(d.Name, to) && d.Name != from {
			return fmt.Errorf("device %s: %w as %s", to, ErrExists, d.Name)
		}
	}
	inv.devices[i].Name = to
	inv.devices[i].bind(inv.path)
	inv.dirty[inv.devices[i].ID] = true
	inv.index()
	return nil
}

func (inv *Inventory) noDevice(name string) error {
	have := make([]string, len(inv.devices))
	for i, d := range inv.devices {
		have[i] = d.Name
	}
	return fmt.Errorf("%w %q in %s%s", ErrNoDevice, name, inv.path, didYouMean(name, have))
}

func (inv *Inventory) jumpNames() map[string]bool {
	out := make(map[string]bool, len(inv.jumps))
	for _, j := range inv.jumps {
		out[j.Name] = true
	}
	return out
}

func (inv *Inventory) defaults() map[string]*Device {
	out := make(map[string]*Device, len(inv.groups))
	for i := range inv.groups {
		out[inv.groups[i].Name] = &inv.groups[i]
	}
	return out
}

func (inv *Inventory) effective(d *Device, defaults map[string]*Device) Device {
	return effective(d, defaults)
}

// NewID makes a device id: 128 random bits in lower-case hexadecimal.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, crypto/rand says
	return hex.EncodeToString(b[:])
}
