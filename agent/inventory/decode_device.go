package inventory

import (
	"regexp"
	"strconv"
	"time"
)

func (d *decoder) device(e *entry) Device {
	dev := Device{Name: e.key}
	if e.value.kind == null {
		d.fail(e.line, e.col, "id, driver and address below it, indented", "device %s is empty", clip(e.key))
		dev.Driver = "?"
		return dev
	}
	d.mapping(&e.value, "device "+clip(e.key), deviceKeys, func(e *entry) {
		switch e.key {
		case "id":
			dev.ID = d.checked(&e.value, "id", checkID)
		case "address":
			dev.Address = d.checked(&e.value, "address", checkAddress)
		case "groups":
			dev.Groups = d.list(&e.value, "groups", CheckName)
		case "host-keys":
			dev.HostKeys = d.list(&e.value, "host-keys", checkHostKey)
		case "unit":
			dev.Unit = d.unit(&e.value)
		default:
			d.common(&dev, e)
		}
	})
	if e.value.kind == mapping {
		if dev.ID == "" && e.value.key("id").key == "" {
			d.fail(e.line, e.col, "let cfgvault device add make devices, or add the line id: "+NewID(), "device %s has no id", clip(e.key))
		}
		if dev.Address == "" && e.value.key("address").key == "" {
			d.fail(e.line, e.col, "address: HOST or HOST:PORT", "device %s has no address", clip(e.key))
		}
	}
	dev.bind(d.file)
	return dev
}

func (d *decoder) group(e *entry) Device {
	g := Device{Name: e.key}
	d.mapping(&e.value, "group "+clip(e.key), groupKeys, func(e *entry) { d.common(&g, e) })
	g.bind(d.file)
	return g
}

// common reads the values that a group can give.
func (d *decoder) common(dev *Device, e *entry) {
	v := &e.value
	switch e.key {
	case "driver":
		dev.Driver, dev.own = d.checked(v, "driver", checkDriver), dev.own|ownDriver
	case "user":
		dev.User, dev.own = d.text(v, "user"), dev.own|ownUser
	case "auth":
		dev.Auth, dev.own = d.credential(v), dev.own|ownAuth
	case "enable":
		dev.Enable, dev.own = d.ref(v, "enable"), dev.own|ownEnable
	case "labels":
		dev.Labels = d.strings(v, "labels")
	case "legacy":
		dev.Legacy, dev.own = d.bool(v, "legacy"), dev.own|ownLegacy
	case "jump":
		dev.Jump, dev.own = d.list(v, "jump", CheckName), dev.own|ownJump
	case "ssh-config":
		dev.SSHConfig, dev.own = d.text(v, "ssh-config"), dev.own|ownSSHConfig
	case "options":
		dev.Options = d.strings(v, "options")
	case "services":
		dev.Services = d.services(v)
	case "timeout":
		dev.Timeout, dev.own = d.duration(v, "timeout"), dev.own|ownTimeout
	case "every":
		dev.Every, dev.own = d.duration(v, "every"), dev.own|ownEvery
	}
}

func (d *decoder) jump(e *entry) Jump {
	j := Jump{Name: e.key}
	d.mapping(&e.value, "jump host "+clip(e.key), jumpKeys, func(e *entry) {
		v := &e.value
		switch e.key {
		case "address":
			j.Address = d.checked(v, "address", checkJumpAddress)
		case "user":
			j.User = d.text(v, "user")
		case "auth":
			j.Auth = d.credential(v)
		case "host-keys":
			j.HostKeys = d.list(v, "host-keys", checkHostKey)
		case "legacy":
			j.Legacy = d.bool(v, "legacy")
		}
	})
	if e.value.kind == null || e.value.kind == mapping && e.value.key("address").key == "" {
		d.fail(e.line, e.col, "address: HOST or HOST:PORT", "jump host %s has no address", clip(e.key))
	}
	j.bind(d.file)
	return j
}

func (d *decoder) credential(n *node) Credential {
	var c Credential
	if n.kind == scalar {
		d.valueInPlaceOfRef(n, "auth")
		return c
	}
	before := len(d.errs)
	d.mapping(n, "auth", credentialKeys, func(e *entry) {
		switch e.key {
		case "password":
			c.Password = d.ref(&e.value, "password")
		case "key":
			c.Key = d.ref(&e.value, "key")
		case "passphrase":
			c.Passphrase = d.ref(&e.value, "passphrase")
		case "ssh-agent":
			c.SSHAgent = d.bool(&e.value, "ssh-agent")
		case "interactive":
			c.Interactive = d.prompts(&e.value)
		}
	})
	if len(d.errs) == before {
		d.reject(n, c.check())
		if c.IsZero() && n.kind != null {
			d.fail(n.line, n.col, "password, key, ssh-agent or interactive", "auth gives no way to log in")
		}
	}
	return c
}

func (d *decoder) prompts(n *node) []Prompt {
	if n.kind != sequence {
		d.fail(n.line, n.col, "- prompt: PATTERN and below it answer:", "interactive is %v where a list should be", n.kind)
		return nil
	}
	var out []Prompt
	for i := range n.items {
		var p Prompt
		d.mapping(&n.items[i], "a prompt", promptKeys, func(e *entry) {
			switch e.key {
			case "prompt":
				p.Pattern = d.checked(&e.value, "prompt", func(s string) error {
					_, err := regexp.Compile(s)
					if err != nil {
						return fault("RE2 syntax", "the pattern is not usable")
					}
					return nil
				})
			case "answer":
				p.Answer = d.ref(&e.value, "answer")
			}
		})
		if n.items[i].kind != mapping {
			d.fail(n.items[i].line, n.items[i].col, "", "a prompt is %v where a mapping should be", n.items[i].kind)
		}
		out = append(out, p)
	}
	return out
}

// ref reads a reference. A value in its place is not repeated in the fault: it
// is a secret.
func (d *decoder) ref(n *node, what string) Ref {
	var r Ref
	if n.kind != mapping {
		d.valueInPlaceOfRef(n, what)
		return r
	}
	before := len(d.errs)
	for i := range n.keys {
		e := &n.keys[i]
		if len(d.errs) >= maxErrors {
			return r
		}
		if repeated(n, i) != nil {
			d.fail(e.line, e.col, "keep one", "key %q of %s is there twice", clip(e.key), what)
			continue
		}
		switch e.key {
		case "env":
			r.Env = d.text(&e.value, what+" env")
		case "file":
			r.File = d.text(&e.value, what+" file")
		case "command":
			r.Command = d.text(&e.value, what+" command")
		default:
			hint := "one of env, file and command"
			if near := nearest(e.key, refKeys); near != "" {
				hint = "did you mean " + near + "?"
			}
			d.fail(e.line, e.col, hint, "unknown key of %s", what)
		}
	}
	if len(d.errs) > before {
		return r
	}
	if r.IsZero() {
		d.fail(n.line, n.col, "one of env, file and command", "%s refers to nothing", what)
	}
	d.reject(n, r.check())
	return r
}

func (d *decoder) valueInPlaceOfRef(n *node, what string) {
	text := "a secret never stands in this file"
	if n.kind != scalar {
		text = what + " is " + n.kind.String() + " where a reference should be"
	}
	d.fail(n.line, n.col, what+": {env: VARIABLE}, {file: PATH} or {command: PROGRAM}", "%s", text)
}

func (d *decoder) services(n *node) map[string]Service {
	if n.kind == null {
		return nil
	}
	out := make(map[string]Service, len(n.keys))
	d.mapping(n, "services", services, func(e *entry) {
		var s Service
		before := len(d.errs)
		d.mapping(&e.value, "service "+e.key, serviceKeys, func(e *entry) {
			v := &e.value
			switch e.key {
			case "port":
				p, err := strconv.ParseUint(d.text(v, "port"), 10, 16)
				if err != nil || p == 0 {
					d.fail(v.line, v.col, "a number from 1 to 65535", "the port is not usable")
				}
				s.Port = int(p)
			case "tls-pin":
				s.TLSPin = d.text(v, "tls-pin")
			case "plain":
				s.Plain = d.bool(v, "plain")
			case "user":
				s.User = d.text(v, "user")
			case "auth":
				s.Auth = d.ref(v, "auth")
			}
		})
		if len(d.errs) == before {
			d.reject(&e.value, checkService(e.key, s))
		}
		out[e.key] = s
	})
	return out
}

func (d *decoder) unit(n *node) Unit {
	var u Unit
	d.mapping(n, "unit", unitKeys, func(e *entry) {
		switch e.key {
		case "serials":
			u.Serials = d.list(&e.value, "serials", anyText)
		case "model":
			u.Model = d.text(&e.value, "model")
		case "since":
			since, err := time.Parse(time.RFC3339, d.text(&e.value, "since"))
			if err != nil && e.value.kind == scalar {
				d.fail(e.value.line, e.value.col, "2026-11-20T02:00:00Z", "since is not a time")
			}
			u.Since = since.UTC()
		}
	})
	return u
}
