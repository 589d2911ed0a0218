package inventory

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// csvColumns are the columns that an import knows.
var csvColumns = []string{
	"name", "driver", "address", "user", "groups", "labels",
	"password-env", "password-file", "password-command",
	"key", "passphrase-env", "passphrase-file", "passphrase-command", "ssh-agent",
	"enable-env", "enable-file", "enable-command",
	"legacy", "jump", "ssh-config", "options",
}

// csvAliases are other spellings of a column.
func csvAliases() map[string]string {
	return map[string]string{"group": "groups", "label": "labels", "option": "options", "key-file": "key", "host": "address", "username": "user"}
}

// ImportCSV adds the devices of a table, all of them or, if anything is wrong,
// none, and returns them as they then stand. Nothing is written before Save:
// a dry run is an import without it.
//
// The first row names the columns, in any order: name and address (required),
// driver, user, groups, labels (key=value), password-env, password-file,
// password-command, key (a file), passphrase-…, ssh-agent, enable-…, legacy,
// jump, ssh-config, options (key=value). Several values in one cell are
// separated by blanks, ',' or ';'. An empty cell sets nothing. The separator
// is ',' or, as some spreadsheets write it, ';' or a tab. A column with
// passwords is refused: they do not belong in a table. name is what errors
// call the table; each is an *Error with its line.
func (inv *Inventory) ImportCSV(r io.Reader, name string) ([]Device, error) {
	devices, lines, err := readCSV(r, name)
	if err != nil {
		return nil, err
	}
	var (
		errs  []error
		seen  = map[string]int{}
		jumps = inv.jumpNames()
		have  = map[string]string{}
		defs  = inv.defaults()
	)
	for _, d := range inv.devices {
		have[strings.ToLower(d.Name)] = d.Name
	}
	for i := range devices {
		d := &devices[i]
		d.ID = NewID()
		d.mark()
		fold := strings.ToLower(d.Name)
		eff := effective(d, defs)
		if first, twice := seen[fold]; twice {
			errs = append(errs, &Error{File: name, Line: lines[i], Text: fmt.Sprintf("device %q is already in line %d", clip(d.Name), first)})
		} else if other, taken := have[fold]; taken {
			errs = append(errs, fmt.Errorf("%s:%d: device %s: %w as %s: %w", name, lines[i], clip(d.Name), ErrExists, other, ErrConfig))
		} else if err := eff.check(jumps); err != nil {
			errs = append(errs, atLine(name, lines[i], d.Name, err))
		}
		seen[fold] = lines[i]
		if len(errs) >= maxErrors {
			break
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return inv.AddAll(devices)
}

func atLine(file string, line int, device string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{File: file, Line: line, Text: fmt.Sprintf("device %q: %s", clip(device), e.Text), Hint: e.Hint}
	}
	return &Error{File: file, Line: line, Text: fmt.Sprintf("device %q: %v", clip(device), err)}
}

// readCSV reads the table and the line in which each device begins.
func readCSV(r io.Reader, name string) ([]Device, []int, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	bad := func(line int, text, hint string) ([]Device, []int, error) {
		return nil, nil, &Error{File: name, Line: line, Text: text, Hint: hint}
	}
	if len(raw) > maxFile {
		return bad(0, fmt.Sprintf("larger than %d MiB", maxFile>>20), "")
	}
	if bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || bytes.HasPrefix(raw, []byte{0xfe, 0xff}) {
		return bad(1, "the table is in UTF-16", "save it as CSV UTF-8")
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")) // spreadsheets write a byte order mark
	cr := csv.NewReader(bufio.NewReader(bytes.NewReader(raw)))
	cr.Comma = separator(raw)
	cr.TrimLeadingSpace = true
	cr.ReuseRecord = true
	header, err := cr.Read()
	if errors.Is(err, io.EOF) {
		return bad(1, "the table is empty", "the first row names the columns: name,driver,address,user,groups")
	}
	if err != nil {
		return nil, nil, csvError(name, err)
	}
	columns, err := csvHeader(name, header)
	if err != nil {
		return nil, nil, err
	}
	var (
		devices []Device
		lines   []int
		errs    []error
	)
	for len(errs) < maxErrors {
		row, err := cr.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			errs = append(errs, csvError(name, err))
			if !errors.Is(err, csv.ErrFieldCount) {
				break
			}
			continue
		}
		line, _ := cr.FieldPos(0)
		d, blank, err := csvDevice(columns, row)
		if err != nil {
			errs = append(errs, atLine(name, line, d.Name, err))
			continue
		}
		if !blank {
			devices, lines = append(devices, d), append(lines, line)
		}
	}
	return devices, lines, errors.Join(errs...)
}

// separator finds what separates the columns of the first line.
func separator(raw []byte) rune {
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	for _, c := range ",;\t" {
		if bytes.ContainsRune(first, c) {
			return c
		}
	}
	return ','
}

func csvError(name string, err error) error {
	var pe *csv.ParseError
	if !errors.As(err, &pe) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	hint := ""
	if errors.Is(err, csv.ErrFieldCount) {
		hint = "every row has as many columns as the first"
	}
	return &Error{File: name, Line: pe.Line, Column: max(0, pe.Column), Text: pe.Err.Error(), Hint: hint}
}

func csvHeader(name string, header []string) ([]string, error) {
	var (
		columns []string
		errs    []error
		aliases = csvAliases()
	)
	fail := func(text, hint string) {
		errs = append(errs, &Error{File: name, Line: 1, Text: text, Hint: hint})
	}
	for i, h := range header {
		h = strings.ToLower(strings.TrimSpace(h))
		h = strings.ReplaceAll(h, "_", "-")
		if a, ok := aliases[h]; ok {
			h = a
		}
		switch {
		case h == "password" || h == "secret" || h == "enable" || h == "passphrase":
			fail(fmt.Sprintf("column %q: secrets are not imported", h), "name the place of each: password-env, password-file or password-command")
		case !slices.Contains(csvColumns, h):
			hint := "columns are " + strings.Join(csvColumns, ", ")
			if near := nearest(h, csvColumns); near != "" {
				hint = "did you mean " + near + "?"
			}
			fail(fmt.Sprintf("unknown column %d %q", i+1, clip(h)), hint)
		case slices.Contains(columns, h):
			fail(fmt.Sprintf("column %q is there twice", h), "")
		}
		columns = append(columns, h)
	}
	for _, need := range []string{"name", "address"} {
		if len(errs) == 0 && !slices.Contains(columns, need) {
			fail(fmt.Sprintf("no column %q", need), "the first row names the columns: name,driver,address,user,groups")
		}
	}
	return columns, errors.Join(errs...)
}

func csvDevice(columns, row []string) (d Device, blank bool, err error) {
	blank = true
	for i, col := range columns {
		v := strings.TrimSpace(row[i])
		if v == "" {
			continue
		}
		blank = false
		v = strings.Clone(v)
		var e error
		switch col {
		case "name":
			d.Name = v
		case "driver":
			d.Driver = v
		case "address":
			d.Address = v
		case "user":
			d.User = v
		case "groups":
			d.Groups = cells(v)
		case "jump":
			d.Jump = cells(v)
		case "labels":
			d.Labels, e = pairs(v)
		case "options":
			d.Options, e = pairs(v)
		case "ssh-config":
			d.SSHConfig = v
		case "key":
			d.Auth.Key.File = v
		case "password-env":
			d.Auth.Password.Env = v
		case "password-file":
			d.Auth.Password.File = v
		case "password-command":
			d.Auth.Password.Command = v
		case "passphrase-env":
			d.Auth.Passphrase.Env = v
		case "passphrase-file":
			d.Auth.Passphrase.File = v
		case "passphrase-command":
			d.Auth.Passphrase.Command = v
		case "enable-env":
			d.Enable.Env = v
		case "enable-file":
			d.Enable.File = v
		case "enable-command":
			d.Enable.Command = v
		case "ssh-agent":
			d.Auth.SSHAgent, e = truth(v)
		case "legacy":
			if d.Legacy, e = truth(v); e == nil {
				d.own |= ownLegacy
			}
		}
		if e != nil && err == nil {
			err = fmt.Errorf("column %s: %w", col, e)
		}
	}
	return d, blank, err
}

func cells(v string) []string {
	var out []string
	for _, s := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(" \t,;|", r) }) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func pairs(v string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range cells(v) {
		k, val, ok := strings.Cut(s, "=")
		if !ok || k == "" || val == "" {
			return nil, fault("key=value", "%q is not a pair", clip(s))
		}
		if _, twice := out[k]; twice {
			return nil, fault("", "%q is there twice", clip(k))
		}
		out[k] = val
	}
	return out, nil
}

func truth(v string) (bool, error) {
	switch strings.ToLower(v) {
	case "true", "yes", "1", "x":
		return true, nil
	case "false", "no", "0":
		return false, nil
	}
	return false, fault("yes or no", "%q is not a truth value", clip(v))
}
