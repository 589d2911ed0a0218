package vault

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

// Kind says why a snapshot was taken.
type Kind string

// The kinds. An undo snapshot never becomes latest good.
const (
	Routine  Kind = "routine"  // a backup
	Baseline Kind = "baseline" // the state that an operator declared right
	Undo     Kind = "undo"     // what a restore was about to overwrite
)

// Verdict says whether a snapshot is complete; see the drivers' contract.
type Verdict string

// The verdicts. Only a complete snapshot can become latest good.
const (
	Complete Verdict = "complete"
	Partial  Verdict = "partial"
	Unknown  Verdict = "unknown"
)

// Code is a word from a closed list of the caller's: lower-case words joined
// by '-', at most 40 bytes. Records are not sealed, so codes must never be
// made from device text.
type Code string

// FileKind says what a file of a snapshot is.
type FileKind string

// The kinds of files.
const (
	Native   FileKind = "native"   // an artefact, byte for byte
	Tree     FileKind = "tree"     // the normalised form
	Residual FileKind = "residual" // what the driver did not understand
	Facts    FileKind = "facts"    // which unit answered
	Other    FileKind = "other"
)

// File is one file of a snapshot. (Kind, Name) is unique in a snapshot.
type File struct {
	Name  string
	Kind  FileKind
	Attrs map[string]string
	Data  []byte
}

// Reason explains a verdict or a hold to the operator; it is sealed.
type Reason struct {
	Code Code   `json:"code"`
	Text string `json:"text,omitempty"`
}

// Snapshot is one backup of one device.
type Snapshot struct {
	Device  string          // opaque random id: lower-case letters, digits and '-', at most 64 bytes
	Time    time.Time       // when the device was read; zero: now. Put moves it forward if it is not after the device's last snapshot
	Kind    Kind            // empty: Routine
	Verdict Verdict         // empty: Unknown
	Held    []Code          // why it must not become latest good until an operator accepts it
	Limits  []Code          // what stands against putting it back; says nothing of what is in it
	Reasons []Reason        // sealed
	Meta    json.RawMessage // sealed; a JSON value that the vault does not interpret
	Files   []File

	// Digest and Guard stay on this machine, in the agent's state: Digest as
	// made by Vault.Digest, Guard opaque. Fetch does not return them.
	Digest string
	Guard  []byte
}

// Entry is what a signed record says of a snapshot.
type Entry struct {
	Device  string    `json:"device"`
	Object  string    `json:"object"` // key in the store
	SHA256  string    `json:"sha256"` // of the stored bytes, lower-case hex
	Size    int64     `json:"size"`   // of the stored bytes
	Time    time.Time `json:"time"`
	Kind    Kind      `json:"kind"`
	Verdict Verdict   `json:"verdict"`
	Held    []Code    `json:"held,omitempty"`
	Limits  []Code    `json:"limits,omitempty"`

	Run      string `json:"run,omitempty"`      // key of the record that names it
	Key      string `json:"key,omitempty"`      // id of the agent key that signed the record
	Accepted string `json:"accepted,omitempty"` // key of the operator's record that accepted it although held
}

// ID is the short name of a snapshot: the first 128 bits of the SHA-256 of the
// stored bytes, in hex.
func (e Entry) ID() string {
	if len(e.SHA256) < hashDigits {
		return ""
	}
	return e.SHA256[:hashDigits]
}

// Good reports whether the snapshot may become latest good: complete, no undo,
// and not held or accepted by an operator.
func (e Entry) Good() bool {
	return e.Verdict == Complete && e.Kind != Undo && (len(e.Held) == 0 || e.Accepted != "")
}

const (
	hashDigits     = 32                         // hex digits of a hash in an object's name: 128 bits
	nameTime       = "20060102T150405.000Z"     // sorts by time
	recordTime     = "2006-01-02T15:04:05.000Z" // in records and manifests
	snapshotSuffix = ".tar.zst.age"
)

var (
	idPattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	codePattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

func checkID(what, id string) error {
	if !idPattern.MatchString(id) {
		return fmt.Errorf("%s %q: want lower-case letters, digits and '-', at most 64 bytes", what, id)
	}
	return nil
}

func checkCode(c Code) error {
	if len(c) > 40 || !codePattern.MatchString(string(c)) {
		return fmt.Errorf("code %q: want lower-case words joined by '-', at most 40 bytes", c)
	}
	return nil
}

func validKind(k Kind) bool { return k == Routine || k == Baseline || k == Undo }

func validVerdict(v Verdict) bool { return v == Complete || v == Partial || v == Unknown }

func snapshotKey(device string, t time.Time, sum string) string {
	return "snapshots/" + device + "/" + t.UTC().Format(nameTime) + "-" + sum[:hashDigits] + snapshotSuffix
}

// parseSnapshotKey takes a snapshot's key apart and refuses any other spelling.
func parseSnapshotKey(key string) (device string, t time.Time, hash string, err error) {
	bad := func() (string, time.Time, string, error) {
		return "", time.Time{}, "", fmt.Errorf("%q is not the key of a snapshot", key)
	}
	rest, ok := strings.CutPrefix(key, "snapshots/")
	if !ok {
		return bad()
	}
	device, base := path.Split(rest)
	device = strings.TrimSuffix(device, "/")
	base, ok = strings.CutSuffix(base, snapshotSuffix)
	if !ok || !idPattern.MatchString(device) || len(base) != len(nameTime)+1+hashDigits || base[len(nameTime)] != '-' {
		return bad()
	}
	t, err = time.Parse(nameTime, base[:len(nameTime)])
	hash = base[len(nameTime)+1:]
	if err != nil || !isHex(hash) || t.Format(nameTime) != base[:len(nameTime)] {
		return bad()
	}
	return device, t, hash, nil
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}
