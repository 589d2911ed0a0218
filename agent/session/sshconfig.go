package session

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
)

// proxyDepth bounds jump hosts that are reached through jump hosts.
const proxyDepth = 8

// resolve fills the fields of t that are empty from its OpenSSH configuration
// (ssh_config(5)). It returns what proves each jump host that came from there;
// explicit jump hosts prove themselves by their pins.
func resolve(t Target) (Target, []hostProof, error) {
	if t.SSHConfig == "" {
		return t, nil, nil
	}
	if t.proxied > proxyDepth {
		return t, nil, fmt.Errorf("%s: ProxyJump in %s goes round in a circle", t.name(), t.SSHConfig)
	}
	text, err := os.ReadFile(t.SSHConfig)
	if err != nil {
		return t, nil, fmt.Errorf("%s: ssh configuration: %w", t.name(), err)
	}
	conf, err := ssh_config.DecodeBytes(text)
	if err != nil {
		return t, nil, fmt.Errorf("%s: ssh configuration %s: %w", t.name(), t.SSHConfig, err)
	}
	alias := t.Host
	get := func(key string) string {
		v, _ := conf.Get(alias, key) // fails only for node types that the parser does not make
		return strings.Trim(v, `"`)
	}
	if v := get("HostName"); v != "" {
		t.Host = strings.ReplaceAll(v, "%h", alias)
	}
	if v := get("User"); v != "" && t.User == "" {
		t.User = v
	}
	if v := get("Port"); v != "" && t.Port == 0 {
		if t.Port, err = strconv.Atoi(v); err != nil || t.Port < 1 || t.Port > 65535 {
			return t, nil, fmt.Errorf("%s: ssh configuration %s: Port %q is not a port", t.name(), t.SSHConfig, v)
		}
	}
	if len(t.Auth) == 0 {
		if t.Auth, err = identities(conf, alias, t); err != nil {
			return t, nil, fmt.Errorf("%s: ssh configuration %s: %w", t.name(), t.SSHConfig, err)
		}
	}
	jump := get("ProxyJump")
	if len(t.Jump) > 0 || jump == "" || strings.EqualFold(jump, "none") {
		return t, nil, nil
	}
	var proofs []hostProof
	for spec := range strings.SplitSeq(jump, ",") {
		j, err := parseJump(strings.TrimSpace(spec))
		if err != nil {
			return t, nil, fmt.Errorf("%s: ssh configuration %s: %w", t.name(), t.SSHConfig, err)
		}
		j.SSHConfig, j.proxied, j.Legacy = t.SSHConfig, t.proxied+1, t.Legacy
		j.ConnectTimeout, j.KeepAlive = t.ConnectTimeout, t.KeepAlive
		p, err := knownBy(conf, t.SSHConfig, j.Host)
		if err != nil {
			return t, nil, err
		}
		t.Jump = append(t.Jump, j)
		proofs = append(proofs, p)
	}
	return t, proofs, nil
}

// identities returns the keys of IdentityFile, or those of the ssh-agent.
// As OpenSSH does, it passes over files that are not there.
func identities(conf *ssh_config.Config, alias string, t Target) ([]Auth, error) {
	var out []Auth
	files, err := conf.GetAll(alias, "IdentityFile")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		path, err := expand(f, alias, t)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		out = append(out, Key{Path: path})
	}
	if len(out) == 0 && os.Getenv("SSH_AUTH_SOCK") != "" {
		out = append(out, AgentKeys{})
	}
	return out, nil
}

// expand replaces '~' and the tokens of ssh_config(5) that a file name may
// hold.
func expand(path, alias string, t Target) (string, error) {
	path = strings.Trim(path, `"`)
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		path = "%d/" + rest
	}
	home := ""
	if strings.Contains(path, "%d") {
		var err error
		if home, err = os.UserHomeDir(); err != nil {
			return "", err
		}
	}
	path = strings.NewReplacer("%%", "%", "%d", home, "%h", t.Host, "%n", alias, "%r", t.User).Replace(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(t.SSHConfig), path)
	}
	return path, nil
}

// parseJump reads one element of ProxyJump: [user@]host[:port] or a URI.
func parseJump(spec string) (Target, error) {
	bad := fmt.Errorf("ProxyJump %q is not [user@]host[:port]", spec)
	u, err := url.Parse("ssh://" + strings.TrimPrefix(spec, "ssh://"))
	if err != nil || u.Hostname() == "" || u.Path != "" {
		return Target{}, bad
	}
	j := Target{Device: "jump host " + u.Hostname(), Host: u.Hostname(), User: u.User.Username()}
	if u.Port() != "" {
		if j.Port, err = strconv.Atoi(u.Port()); err != nil {
			return Target{}, bad
		}
	}
	return j, nil
}

// known proves a jump host by OpenSSH's known_hosts files.
type known struct {
	db    *knownhosts.HostKeyDB
	alias string
}

func knownBy(conf *ssh_config.Config, path, alias string) (*known, error) {
	list, _ := conf.Get(alias, "UserKnownHostsFile")
	if list == "" {
		list = "~/.ssh/known_hosts"
	}
	var files []string
	for f := range strings.FieldsSeq(list) {
		file, err := expand(f, alias, Target{SSHConfig: path})
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(file); err == nil {
			files = append(files, file)
		}
	}
	k := &known{alias: alias}
	if len(files) == 0 {
		return k, nil
	}
	db, err := knownhosts.NewDB(files...)
	if err != nil {
		return nil, fmt.Errorf("known_hosts of jump host %s: %w", alias, err)
	}
	k.db = db
	return k, nil
}

func (k *known) check(addr string, remote net.Addr, key ssh.PublicKey) error {
	if k.db == nil {
		return k.unknown(key)
	}
	err := k.db.HostKeyCallback()(addr, remote, key)
	switch {
	case err == nil:
		return nil
	case knownhosts.IsHostUnknown(err):
		return k.unknown(key)
	case knownhosts.IsHostKeyChanged(err):
		e := &HostKeyError{Device: "jump host " + k.alias, Got: []string{ssh.FingerprintSHA256(key)}}
		for _, have := range k.db.HostKeys(addr) {
			e.Want = append(e.Want, ssh.FingerprintSHA256(have.PublicKey))
		}
		return e
	}
	return fmt.Errorf("known_hosts of jump host %s: %w", k.alias, err)
}

func (k *known) unknown(key ssh.PublicKey) error {
	return fmt.Errorf("%w: jump host %s shows %s %s, and known_hosts does not have it", ErrHostKeyUnknown, k.alias, key.Type(), ssh.FingerprintSHA256(key))
}

func (k *known) prefer(addr string, p profile) []string {
	if k.db == nil {
		return p.hostKeys
	}
	return preferred(k.db.HostKeyAlgorithms(addr), p)
}
