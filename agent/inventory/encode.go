package inventory

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is one key of an entry as it is written: lines without the indentation
// of the key. Two entries are equal if their fields are.
type field struct {
	key   string
	lines []string
}

// deviceFields gives the own values of a device in the order of deviceKeys.
func deviceFields(d *Device) []field {
	var out []field
	add := func(key string, lines ...string) { out = append(out, field{key, lines}) }
	one := func(key, value string, set bool) {
		if set {
			add(key, key+": "+plain(value))
		}
	}
	one("id", d.ID, d.ID != "")
	one("driver", d.Driver, d.own&ownDriver != 0)
	one("address", d.Address, d.Address != "")
	one("user", d.User, d.own&ownUser != 0)
	if d.own&ownAuth != 0 && !d.Auth.IsZero() {
		add("auth", credentialLines(d.Auth)...)
	}
	if !d.Enable.IsZero() {
		add("enable", "enable: "+refFlow(d.Enable))
	}
	if len(d.Groups) > 0 {
		add("groups", "groups: "+listFlow(d.Groups))
	}
	if len(d.Labels) > 0 {
		add("labels", mapLines("labels", d.Labels)...)
	}
	if len(d.HostKeys) > 0 {
		add("host-keys", listLines("host-keys", d.HostKeys)...)
	}
	if d.own&ownLegacy != 0 {
		add("legacy", "legacy: "+strconv.FormatBool(d.Legacy))
	}
	if d.own&ownJump != 0 {
		add("jump", "jump: "+listFlow(d.Jump))
	}
	one("ssh-config", d.SSHConfig, d.own&ownSSHConfig != 0)
	if len(d.Options) > 0 {
		add("options", mapLines("options", d.Options)...)
	}
	if len(d.Services) > 0 {
		lines := []string{"services:"}
		for _, name := range slices.Sorted(maps.Keys(d.Services)) {
			lines = append(lines, "  "+name+": "+serviceFlow(d.Services[name]))
		}
		add("services", lines...)
	}
	if !d.Unit.IsZero() {
		add("unit", "unit: "+unitFlow(d.Unit))
	}
	one("timeout", formatDuration(d.Timeout), d.own&ownTimeout != 0)
	one("every", formatDuration(d.Every), d.own&ownEvery != 0)
	return out
}

// jumpFields gives the values of a jump host in the order of jumpKeys.
func jumpFields(j *Jump) []field {
	out := []field{{"address", []string{"address: " + plain(j.Address)}}}
	if j.User != "" {
		out = append(out, field{"user", []string{"user: " + plain(j.User)}})
	}
	if !j.Auth.IsZero() {
		out = append(out, field{"auth", credentialLines(j.Auth)})
	}
	if len(j.HostKeys) > 0 {
		out = append(out, field{"host-keys", listLines("host-keys", j.HostKeys)})
	}
	if j.Legacy {
		out = append(out, field{"legacy", []string{"legacy: true"}})
	}
	return out
}

func credentialLines(c Credential) []string {
	lines := []string{"auth:"}
	for _, r := range []struct {
		key string
		ref Ref
	}{{"password", c.Password}, {"key", c.Key}, {"passphrase", c.Passphrase}} {
		if !r.ref.IsZero() {
			lines = append(lines, "  "+r.key+": "+refFlow(r.ref))
		}
	}
	if c.SSHAgent {
		lines = append(lines, "  ssh-agent: true")
	}
	if len(c.Interactive) > 0 {
		lines = append(lines, "  interactive:")
		for _, p := range c.Interactive {
			lines = append(lines, "    - prompt: "+plain(p.Pattern), "      answer: "+refFlow(p.Answer))
		}
	}
	return lines
}

func refFlow(r Ref) string {
	switch {
	case r.Env != "":
		return "{env: " + inFlow(r.Env) + "}"
	case r.File != "":
		return "{file: " + inFlow(r.File) + "}"
	}
	return "{command: " + inFlow(r.Command) + "}"
}

func serviceFlow(s Service) string {
	var parts []string
	if s.Port != 0 {
		parts = append(parts, "port: "+strconv.Itoa(s.Port))
	}
	if s.TLSPin != "" {
		parts = append(parts, "tls-pin: "+inFlow(s.TLSPin))
	}
	if s.Plain {
		parts = append(parts, "plain: true")
	}
	if s.User != "" {
		parts = append(parts, "user: "+inFlow(s.User))
	}
	if !s.Auth.IsZero() {
		parts = append(parts, "auth: "+refFlow(s.Auth))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func unitFlow(u Unit) string {
	var parts []string
	if len(u.Serials) > 0 {
		parts = append(parts, "serials: "+listFlow(u.Serials))
	}
	if u.Model != "" {
		parts = append(parts, "model: "+inFlow(u.Model))
	}
	if !u.Since.IsZero() {
		parts = append(parts, "since: "+inFlow(u.Since.UTC().Format(time.RFC3339)))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func listFlow(list []string) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = inFlow(s)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func listLines(key string, list []string) []string {
	lines := []string{key + ":"}
	for _, s := range list {
		lines = append(lines, "  - "+plain(s))
	}
	return lines
}

func mapLines(key string, m map[string]string) []string {
	lines := []string{key + ":"}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		lines = append(lines, "  "+inFlow(k)+": "+plain(m[k]))
	}
	return lines
}

// formatDuration writes 24h0m0s as 24h.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// plain writes a scalar without quotes where every reader of YAML, 1.1 or 1.2,
// takes it for the same text, else in double quotes.
func plain(s string) string {
	if plainSafe(s, true) {
		return s
	}
	return quote(s)
}

// inFlow is plain for a key, or for a value between brackets.
func inFlow(s string) string {
	if plainSafe(s, false) {
		return s
	}
	return quote(s)
}

func plainSafe(s string, block bool) bool {
	if s == "" || strings.HasSuffix(s, ":") || strings.HasSuffix(s, " ") {
		return false
	}
	letter := false
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			letter = true
		case '0' <= c && c <= '9', c == '/', c == '.', c == '_':
		case c == '~' && i == 0 && strings.HasPrefix(s, "~/"):
			letter = true
		case i > 0 && (c == '-' || c == '+' || c == '='):
		case i > 0 && block && c == ':' && s[i+1] != ' ':
		case i > 0 && block && c == ' ':
		default:
			return false
		}
	}
	// Dotted addresses are text to every reader; other words without a letter
	// (numbers, dates, times of day) and the words below are not.
	if !letter && strings.Count(s, ".") != 3 {
		return false
	}
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null", ".inf", ".nan":
		return false
	}
	// 1e3, 0x1f, 0o7, 12h: what begins with a digit may be a number to someone,
	// unless a character that numbers do not have shows that it is not.
	if _, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64); err == nil {
		return false
	}
	_, err := strconv.ParseInt(s, 0, 64)
	return err != nil
}

// quote writes a scalar in double quotes (YAML 1.2, section 7.3.1). Control
// characters do not occur: checkText refuses them.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
