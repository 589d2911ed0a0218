package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"filippo.io/age/plugin"
	"filippo.io/age/tag"
)

// Ask asks the operator for a secret: a passphrase, the PIN of a hardware key.
type Ask func(prompt string) (string, error)

// ParseRecipients reads recipients: hybrid (age1pq1…), classic (age1…), tagged
// and plugin ones. Hybrid and classic ones do not mix in one age file, so they
// do not mix in one vault.
func ParseRecipients(texts []string) ([]age.Recipient, error) {
	if len(texts) == 0 {
		return nil, errors.New("no recipient")
	}
	var list []age.Recipient
	for _, s := range texts {
		r, err := parseRecipient(s)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	// age itself decides whether the recipients fit together. Plugins are not
	// run for this.
	var native []age.Recipient
	for _, r := range list {
		if _, ok := r.(*plugin.Recipient); !ok {
			native = append(native, r)
		}
	}
	if len(native) > 0 {
		if _, err := age.Encrypt(io.Discard, native...); err != nil {
			return nil, errors.New("recipients do not mix: hybrid ones (age1pq1…, age1tagpq1…) and classic ones cannot open the same file; give one sort only")
		}
	}
	return list, nil
}

func parseRecipient(s string) (age.Recipient, error) {
	var r age.Recipient
	var err error
	name, _, perr := plugin.ParseRecipient(s)
	switch {
	case strings.HasPrefix(s, "age1pq1"):
		r, err = age.ParseHybridRecipient(s)
	case strings.HasPrefix(s, "age1tag1"), strings.HasPrefix(s, "age1tagpq1"):
		r, err = tag.ParseRecipient(s)
	case perr == nil && name != "":
		r, err = plugin.NewRecipient(s, pluginUI(nil))
	case strings.HasPrefix(s, "age1"):
		r, err = age.ParseX25519Recipient(s)
	case strings.HasPrefix(s, "AGE-SECRET-KEY-"), strings.HasPrefix(s, "AGE-PLUGIN-"):
		return nil, errors.New("an identity stands where a recipient should: keep it secret and give the line that begins with age1")
	default:
		return nil, fmt.Errorf("recipient %q: want one that begins with age1; a passphrase cannot be a recipient, for the agent could read with it", s)
	}
	if err != nil {
		return nil, fmt.Errorf("recipient %q: %w", s, err)
	}
	return r, nil
}

func pluginUI(ask Ask) *plugin.ClientUI {
	ui := &plugin.ClientUI{
		DisplayMessage: func(string, string) error { return nil },
		Confirm: func(string, string, string, string) (bool, error) {
			return false, errors.New("nobody to confirm")
		},
	}
	if ask != nil {
		ui.RequestValue = func(name, prompt string, _ bool) (string, error) {
			return ask(fmt.Sprintf("age plugin %s: %s", name, prompt))
		}
	}
	return ui
}

// maxIdentityFile bounds an identity file; real ones have a few kilobytes.
const maxIdentityFile = 1 << 20

// ParseIdentities reads an identity file: native and age plugin identities, one
// per line, or such a file encrypted with a passphrase (age -p). ask is called
// for the passphrase and for what plugins ask; nil refuses. Errors never quote
// the file; a wrong passphrase is ErrNoIdentity.
func ParseIdentities(file []byte, ask Ask) ([]age.Identity, error) {
	if len(file) > maxIdentityFile {
		return nil, fmt.Errorf("identity file: %w", ErrTooLarge)
	}
	armored := bytes.HasPrefix(bytes.TrimSpace(file), []byte(armor.Header))
	if armored || bytes.HasPrefix(file, []byte("age-encryption.org/v1\n")) {
		var r io.Reader = bytes.NewReader(file)
		if armored {
			r = armor.NewReader(bytes.NewReader(bytes.TrimSpace(file)))
		}
		plain, err := openProtected(r, ask)
		if err != nil {
			return nil, err
		}
		file = plain
	}
	var ids []age.Identity
	n := 0
	for line := range strings.Lines(string(file)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, err := parseIdentity(line, ask)
		if err != nil {
			return nil, fmt.Errorf("identity file, line %d: %w", n, err)
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("identity file: %w: it holds none", ErrNoIdentity)
	}
	return ids, nil
}

func parseIdentity(line string, ask Ask) (age.Identity, error) {
	if strings.HasPrefix(line, "AGE-PLUGIN-") {
		id, err := plugin.NewIdentity(line, pluginUI(ask))
		if err != nil {
			return nil, errors.New("not an age plugin identity")
		}
		return id, nil
	}
	// The cause is left out: it may quote the line.
	if ids, err := age.ParseIdentities(strings.NewReader(line)); err == nil {
		return ids[0], nil
	}
	return nil, errors.New("not an age identity (AGE-SECRET-KEY-… or AGE-PLUGIN-…)")
}

func openProtected(r io.Reader, ask Ask) ([]byte, error) {
	if ask == nil {
		return nil, fmt.Errorf("identity file: %w: it is protected by a passphrase and nobody can be asked", ErrNoIdentity)
	}
	pass, err := ask("passphrase of the identity file")
	if err != nil {
		return nil, fmt.Errorf("identity file: passphrase: %w", err)
	}
	id, err := age.NewScryptIdentity(pass)
	if err != nil {
		return nil, fmt.Errorf("identity file: %w: the passphrase is empty", ErrNoIdentity)
	}
	plain, err := age.Decrypt(r, id)
	if err != nil {
		return nil, fmt.Errorf("identity file: %w: wrong passphrase", ErrNoIdentity)
	}
	file, err := io.ReadAll(io.LimitReader(plain, maxIdentityFile))
	if err != nil {
		return nil, errors.New("identity file: damaged")
	}
	return file, nil
}

// ProtectIdentity encrypts an identity file with a passphrase; age -d opens it.
func ProtectIdentity(file, passphrase []byte) ([]byte, error) {
	r, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return nil, fmt.Errorf("protect identity: %w", err)
	}
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, r)
	if err != nil {
		return nil, fmt.Errorf("protect identity: %w", err)
	}
	if _, err := w.Write(file); err != nil {
		return nil, fmt.Errorf("protect identity: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("protect identity: %w", err)
	}
	if err := a.Close(); err != nil {
		return nil, fmt.Errorf("protect identity: %w", err)
	}
	return out.Bytes(), nil
}

// newIdentity makes an identity; text is its file.
func newIdentity(classic bool, note string) (recipient, text string, err error) {
	var secret string
	if classic {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return "", "", err
		}
		recipient, secret = id.Recipient().String(), id.String()
	} else {
		id, err := age.GenerateHybridIdentity()
		if err != nil {
			return "", "", err
		}
		recipient, secret = id.Recipient().String(), id.String()
	}
	return recipient, "# " + note + "\n# public key: " + recipient + "\n" + secret + "\n", nil
}
