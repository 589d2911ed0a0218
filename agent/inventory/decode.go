package inventory

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// content is a file as read. devices and jumps stand in the order of their
// entries in root, so that an edit finds the lines of each.
type content struct {
	text    []byte
	root    node
	devices []Device
	groups  []Device
	jumps   []Jump
}

// maxErrors bounds how many faults of a file are reported at once.
const maxErrors = 20

// maxList bounds a list or mapping of values of one device.
const maxList = 1000

// The keys of each level, in the order in which they are written.
var (
	rootKeys       = []string{"groups", "jumps", "devices"}
	deviceKeys     = []string{"id", "driver", "address", "user", "auth", "enable", "groups", "labels", "host-keys", "legacy", "jump", "ssh-config", "options", "services", "unit", "timeout", "every"}
	groupKeys      = []string{"driver", "user", "auth", "enable", "labels", "legacy", "jump", "ssh-config", "options", "services", "timeout", "every"}
	jumpKeys       = []string{"address", "user", "auth", "host-keys", "legacy"}
	credentialKeys = []string{"password", "key", "passphrase", "ssh-agent", "interactive"}
	promptKeys     = []string{"prompt", "answer"}
	refKeys        = []string{"env", "file", "command"}
	serviceKeys    = []string{"port", "tls-pin", "plain", "user", "auth"}
	unitKeys       = []string{"serials", "model", "since"}
)

type decoder struct {
	file string
	errs []error
}

// parse reads the text of an inventory. The error joins every fault found, up
// to maxErrors.
func parse(file string, text []byte) (*content, error) {
	root, ok := scan(text)
	if !ok {
		var err error
		if root, err = parseYAML(text); err != nil {
			var e *Error
			if errors.As(err, &e) {
				e.File = file
			}
			return nil, err
		}
	}
	d := &decoder{file: file}
	c := &content{text: text, root: root}
	d.mapping(&root, "the file", rootKeys, func(e *entry) {
		switch e.key {
		case "groups":
			d.named(&e.value, "groups", func(e *entry) { c.groups = append(c.groups, d.group(e)) })
		case "jumps":
			d.named(&e.value, "jumps", func(e *entry) { c.jumps = append(c.jumps, d.jump(e)) })
		case "devices":
			c.devices = make([]Device, 0, len(e.value.keys))
			d.named(&e.value, "devices", func(e *entry) { c.devices = append(c.devices, d.device(e)) })
		}
	})
	d.whole(c)
	if len(d.errs) > 0 {
		return nil, errors.Join(d.errs...)
	}
	return c, nil
}

// whole makes the checks that need the whole file.
func (d *decoder) whole(c *content) {
	jumps := make(map[string]bool, len(c.jumps))
	var jumpNames []string
	for _, j := range c.jumps {
		jumps[j.Name] = true
		jumpNames = append(jumpNames, j.Name)
	}
	groups := make(map[string]*Device, len(c.groups))
	for i := range c.groups {
		groups[c.groups[i].Name] = &c.groups[i]
		d.jumpsDeclared(c.groups[i].Jump, jumps, jumpNames, c.root.find("groups", i))
	}
	ids := make(map[string]int, len(c.devices))
	for i := range c.devices {
		dev, at := &c.devices[i], c.root.find("devices", i)
		if at == nil {
			continue
		}
		d.jumpsDeclared(dev.Jump, jumps, jumpNames, at)
		if first, taken := ids[dev.ID]; taken && dev.ID != "" {
			where := at.value.key("id")
			d.fail(where.line, where.col, "remove the line of the copy and add it again with cfgvault device add",
				"device %s has the id of device %s", clip(at.key), clip(c.devices[first].Name))
		}
		ids[dev.ID] = i
		if dev.Driver == "" && !inherits(dev, groups, ownDriver) {
			d.fail(at.line, at.col, "driver: NAME, here or in a group of it", "device %s has no driver", clip(at.key))
		}
	}
}

func inherits(d *Device, groups map[string]*Device, bit ownMask) bool {
	for _, g := range d.Groups {
		if def := groups[g]; def != nil && def.own&bit != 0 {
			return true
		}
	}
	return false
}

func (d *decoder) jumpsDeclared(names []string, have map[string]bool, list []string, at *entry) {
	for _, n := range names {
		if !have[n] && at != nil {
			where := at.value.key("jump")
			d.fail(where.line, where.col, "declare it under jumps:"+didYouMean(n, list), "unknown jump host %q", clip(n))
		}
	}
}

// find returns the i-th entry below a key of the root.
func (n *node) find(section string, i int) *entry {
	for k := range n.keys {
		if n.keys[k].key == section && i < len(n.keys[k].value.keys) {
			return &n.keys[k].value.keys[i]
		}
	}
	return nil
}

// key returns the entry of that name, or n's own place.
func (n *node) key(name string) *entry {
	for i := range n.keys {
		if n.keys[i].key == name {
			return &n.keys[i]
		}
	}
	return &entry{line: n.line, col: n.col}
}

func (d *decoder) fail(line, col int, hint, format string, args ...any) {
	if len(d.errs) < maxErrors {
		d.errs = append(d.errs, &Error{File: d.file, Line: line, Column: col, Text: fmt.Sprintf(format, args...), Hint: hint})
	}
}

// reject reports the fault of a checked value at its place.
func (d *decoder) reject(n *node, err error) {
	if err == nil {
		return
	}
	var e *Error
	if errors.As(err, &e) {
		d.fail(n.line, n.col, e.Hint, "%s", e.Text)
		return
	}
	d.fail(n.line, n.col, "", "%v", err)
}

// mapping visits the entries of a mapping; unknown and repeated keys are
// faults and not visited.
func (d *decoder) mapping(n *node, what string, known []string, visit func(*entry)) {
	if n.kind == null {
		return
	}
	if n.kind != mapping {
		d.fail(n.line, n.col, "keys are "+strings.Join(known, ", "), "%s is %v where a mapping should be", what, n.kind)
		return
	}
	for i := range n.keys {
		e := &n.keys[i]
		if len(d.errs) >= maxErrors {
			return
		}
		if !has(known, e.key) {
			hint := "keys are " + strings.Join(known, ", ")
			if near := nearest(e.key, known); near != "" {
				hint = "did you mean " + near + "?"
			}
			d.fail(e.line, e.col, hint, "unknown key %q of %s", clip(e.key), what)
			continue
		}
		if first := repeated(n, i); first != nil {
			d.fail(e.line, e.col, "keep one", "key %q of %s is already in line %d", clip(e.key), what, first.line)
			continue
		}
		visit(e)
	}
}

func has(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func repeated(n *node, i int) *entry {
	for k := range i {
		if n.keys[k].key == n.keys[i].key {
			return &n.keys[k]
		}
	}
	return nil
}

// named visits the entries of a mapping whose keys are names. Every entry is
// visited, so that order and index agree with the file.
func (d *decoder) named(n *node, what string, visit func(*entry)) {
	if n.kind == null {
		return
	}
	if n.kind != mapping {
		d.fail(n.line, n.col, "NAME: and below it, indented, the values", "%s is %v where a mapping should be", what, n.kind)
		return
	}
	seen := make(map[string]*entry, len(n.keys))
	for i := range n.keys {
		e := &n.keys[i]
		fold := strings.ToLower(e.key)
		if first := seen[fold]; first != nil {
			hint := "rename or remove one"
			if first.key != e.key {
				hint += "; names that differ only in case are the same"
			}
			d.fail(e.line, e.col, hint, "%q of %s is already in line %d", clip(e.key), what, first.line)
		} else {
			seen[fold] = e
		}
		if err := CheckName(e.key); err != nil {
			d.reject(&node{line: e.line, col: e.col}, err)
		}
		visit(e)
	}
}

// text reads a scalar as it is written.
func (d *decoder) text(n *node, what string) string {
	if n.kind != scalar || !n.quoted && (n.text == "" || n.text == "~" || n.text == "null") {
		d.fail(n.line, n.col, "", "%s is %v where a value should be", what, n.kind)
		return ""
	}
	if err := checkText(n.text); err != nil {
		d.reject(n, err)
		return ""
	}
	return n.text
}

func (d *decoder) checked(n *node, what string, check func(string) error) string {
	s := d.text(n, what)
	if n.kind == scalar {
		d.reject(n, check(s))
	}
	return s
}

func (d *decoder) bool(n *node, what string) bool {
	if n.kind == scalar && !n.quoted {
		switch n.text {
		case "true":
			return true
		case "false":
			return false
		}
	}
	d.fail(n.line, n.col, "true or false", "%s is not a truth value", what)
	return false
}

// list reads a list of scalars; one scalar alone is a list of one.
func (d *decoder) list(n *node, what string, check func(string) error) []string {
	if n.kind == scalar {
		n = &node{kind: sequence, line: n.line, col: n.col, items: []node{*n}}
	}
	if n.kind == null {
		return nil
	}
	if n.kind != sequence {
		d.fail(n.line, n.col, "[A, B]", "%s is %v where a list should be", what, n.kind)
		return nil
	}
	if len(n.items) > maxList {
		d.fail(n.line, n.col, "", "%s has more than %d elements", what, maxList)
		return nil
	}
	out := make([]string, 0, len(n.items))
	for i := range n.items {
		s := d.checked(&n.items[i], what, check)
		if has(out, s) {
			d.fail(n.items[i].line, n.items[i].col, "keep one", "%s has %q twice", what, clip(s))
		}
		out = append(out, s)
	}
	return out
}

func (d *decoder) strings(n *node, what string) map[string]string {
	if n.kind == null {
		return nil
	}
	if n.kind != mapping {
		d.fail(n.line, n.col, "key: value", "%s is %v where a mapping should be", what, n.kind)
		return nil
	}
	if len(n.keys) > maxList {
		d.fail(n.line, n.col, "", "%s has more than %d elements", what, maxList)
		return nil
	}
	out := make(map[string]string, len(n.keys))
	for i := range n.keys {
		e := &n.keys[i]
		if _, twice := out[e.key]; twice {
			d.fail(e.line, e.col, "keep one", "key %q of %s is there twice", clip(e.key), what)
		}
		d.reject(&node{line: e.line, col: e.col}, checkText(e.key))
		out[e.key] = d.text(&e.value, what+" "+clip(e.key))
	}
	return out
}

// duration reads a Go duration or a number of days: 90s, 5m, 24h, 7d.
func (d *decoder) duration(n *node, what string) time.Duration {
	s := d.text(n, what)
	if n.kind != scalar {
		return 0
	}
	v, err := parseDuration(s)
	if err != nil || v <= 0 {
		d.fail(n.line, n.col, "90s, 5m, 24h or 7d", "%s is not a time span", what)
		return 0
	}
	return v
}

func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

func checkAddress(s string) error {
	_, err := ParseAddress(s)
	return err
}

func checkJumpAddress(s string) error {
	_, _, err := SplitAddress(s)
	return err
}

func anyText(string) error { return nil }
