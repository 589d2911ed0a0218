package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// zstdWindow bounds what a reader needs to hold to decompress.
const zstdWindow = 1 << 20

// manifest says inside the seal what the snapshot is. It is the JSON line of a
// signed note.
type manifest struct {
	Device     string          `json:"device"`
	Time       string          `json:"time"`
	Kind       Kind            `json:"kind"`
	Verdict    Verdict         `json:"verdict"`
	Held       []Code          `json:"held,omitempty"`
	Limits     []Code          `json:"limits,omitempty"`
	Reasons    []Reason        `json:"reasons,omitempty"`
	Recipients []string        `json:"recipients"` // first 128 bits of the SHA-256 of each recipient's text
	Meta       json.RawMessage `json:"meta,omitempty"`
	Files      []manifestFile  `json:"files"`
}

type manifestFile struct {
	Name  string            `json:"name"`
	Kind  FileKind          `json:"kind"`
	Attrs map[string]string `json:"attrs,omitempty"`
	member
}

const kindSnapshot = "snapshot"

func recipientHashes(recipients []string) []string {
	hashes := make([]string, len(recipients))
	for i, r := range recipients {
		hashes[i] = hashName([]byte(r))
	}
	slices.Sort(hashes)
	return hashes
}

// signManifest returns the manifest as a note: three lines of header, the key,
// and the JSON.
func signManifest(kind, vault string, key *signingKey, m any) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return key.sign(header(kind, vault) + "key " + key.id + "\n" + string(body) + "\n")
}

// openManifest verifies a manifest's signature and header and returns the JSON.
func openManifest(kind, vault string, key *verifyKey, data []byte) ([]byte, error) {
	text, err := key.open(data)
	if err != nil {
		return nil, err
	}
	in := &reader{rest: text}
	if got := in.header(kind); in.err == nil && got != vault {
		in.fail("is of vault %s, not %s", got, vault)
	}
	if got := in.field("key"); in.err == nil && got != key.id {
		in.fail("names key %s, but key %s signed", got, key.id)
	}
	body := in.next()
	return []byte(body), in.end()
}

// parseManifest reads a manifest's JSON; what it does not know it refuses.
func parseManifest(body []byte) (*manifest, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	m := &manifest{}
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if d.More() {
		return nil, errors.New("manifest: goes on behind its end")
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if f.member.Name != memberName(f.Kind, f.Name) || seen[f.member.Name] {
			return nil, fmt.Errorf("manifest: file %q is packed under another name, or twice", f.Name)
		}
		seen[f.member.Name] = true
	}
	return m, nil
}

// seal packs, signs, compresses and encrypts a snapshot.
func (v *Vault) seal(s *Snapshot, key *signingKey) ([]byte, error) {
	v.mu.Lock()
	h, recipients := v.home, v.recipients
	v.mu.Unlock()
	m := manifest{
		Device: s.Device, Time: formatTime(s.Time), Kind: s.Kind, Verdict: s.Verdict, Held: s.Held, Limits: s.Limits, Reasons: s.Reasons,
		Recipients: recipientHashes(h.recipients), Meta: s.Meta, Files: make([]manifestFile, 0, len(s.Files)),
	}
	members := make([]member, 0, len(s.Files))
	seen := map[string]bool{}
	for _, f := range s.Files {
		if f.Name == "" || !codePattern.MatchString(string(f.Kind)) {
			return nil, fmt.Errorf("file %q of kind %q: want a name and a kind", f.Name, f.Kind)
		}
		mb := newMember(memberName(f.Kind, f.Name), f.Data)
		if seen[mb.Name] {
			return nil, fmt.Errorf("file %q of kind %q is there twice", f.Name, f.Kind)
		}
		seen[mb.Name] = true
		members = append(members, mb)
		m.Files = append(m.Files, manifestFile{Name: f.Name, Kind: f.Kind, Attrs: f.Attrs, member: mb})
	}
	note, err := signManifest(kindSnapshot, h.vault, key, m)
	if err != nil {
		return nil, err
	}
	packed, err := writeArchive(note, members, s.Time)
	if err != nil {
		return nil, err
	}
	return encrypt(v.encoder.EncodeAll(packed, make([]byte, 0, len(packed)/4)), recipients)
}

func encrypt(data []byte, recipients []age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(data) + 1024 + 2048*len(recipients))
	w, err := age.Encrypt(&out, recipients...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return out.Bytes(), nil
}

// decrypt begins to decrypt; reading to the end authenticates the whole.
func decrypt(object string, sealed []byte, ids []age.Identity) (io.Reader, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s: %w: none was given", object, ErrNoIdentity)
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), ids...)
	if err == nil {
		return r, nil
	}
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, fmt.Errorf("%s: %w", object, ErrNoIdentity)
	}
	return nil, fmt.Errorf("decrypt %s: %w", object, err)
}

// FileKey returns the file key of one sealed object. Whoever has it can open
// that object and no other.
func FileKey(sealed []byte, ids []age.Identity) ([]byte, error) {
	h, err := age.ExtractHeader(bytes.NewReader(sealed))
	if err != nil {
		return nil, fmt.Errorf("sealed object: %w", err)
	}
	key, err := age.DecryptHeader(h, ids...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) || len(ids) == 0 {
		return nil, ErrNoIdentity
	}
	if err != nil {
		return nil, fmt.Errorf("sealed object: %w", err)
	}
	return key, nil
}

// NewFileKeyIdentity returns an identity that opens only the object that
// fileKey came from.
func NewFileKeyIdentity(fileKey []byte) age.Identity { return age.NewInjectedFileKeyIdentity(fileKey) }

// unseal opens a sealed snapshot of the vault and checks it against the entry,
// whose size and hash the caller has compared.
func unseal(sealed []byte, vault string, e Entry, key *verifyKey, ids []age.Identity) (*Snapshot, error) {
	plain, err := decrypt(e.Object, sealed, ids)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*Snapshot, error) {
		return nil, &IntegrityError{Object: e.Object, What: "sealed content is wrong", Err: err}
	}
	z, err := zstd.NewReader(plain, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(2*zstdWindow))
	if err != nil {
		return fail(err)
	}
	defer z.Close()
	var m *manifest
	members, err := readArchive(z, func(note []byte) ([]member, error) {
		body, err := openManifest(kindSnapshot, vault, key, note)
		if err != nil {
			return nil, err
		}
		if m, err = parseManifest(body); err != nil {
			return nil, err
		}
		if err := m.agrees(e); err != nil {
			return nil, err
		}
		list := make([]member, len(m.Files))
		for i, f := range m.Files {
			list[i] = f.member
		}
		return list, nil
	})
	if err != nil {
		return fail(err)
	}
	s := &Snapshot{
		Device: e.Device, Time: e.Time, Kind: m.Kind, Verdict: m.Verdict, Held: m.Held, Limits: m.Limits, Reasons: m.Reasons, Meta: m.Meta,
		Files: make([]File, len(members)),
	}
	for i, f := range m.Files {
		s.Files[i] = File{Name: f.Name, Kind: f.Kind, Attrs: f.Attrs, Data: members[i].data}
	}
	return s, nil
}

// agrees compares the manifest with path and record.
func (m *manifest) agrees(e Entry) error {
	var wrong []string
	if m.Device != e.Device {
		wrong = append(wrong, "device")
	}
	if t, err := time.Parse(recordTime, m.Time); err != nil || !t.Equal(e.Time) {
		wrong = append(wrong, "time")
	}
	if m.Kind != e.Kind {
		wrong = append(wrong, "kind")
	}
	if m.Verdict != e.Verdict {
		wrong = append(wrong, "verdict")
	}
	if !slices.Equal(m.Held, e.Held) {
		wrong = append(wrong, "held")
	}
	if !slices.Equal(m.Limits, e.Limits) {
		wrong = append(wrong, "limits")
	}
	if wrong != nil {
		return fmt.Errorf("manifest and record disagree on %s", strings.Join(wrong, ", "))
	}
	return nil
}
