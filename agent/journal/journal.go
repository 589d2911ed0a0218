// Package journal keeps on disk what a restore has done so far, so that it
// survives the agent's death: which object is being restored, which object
// undoes it, the change's id on the device, and every step, each durable
// before the next one begins. A workflow, of which a restore may be one step,
// has a journal of the same form.
//
// It holds hashes, names, the two objects as ciphertext and their file keys;
// never an identity and never configuration in clear. Finish forgets the file
// keys first. It does not decide what to do after a crash: agent does.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Step is a point that a restore has passed. A step is written before the
// action that its comment names as next.
type Step string

// The steps, in the order in which a restore passes them.
const (
	Opened     Step = "opened"     // target and undo lie beside the journal; next: Stage
	Staged     Step = "staged"     // the device accepted the configuration; next: Commit
	Committing Step = "committing" // next: Commit, whose outcome is unknown until the next step
	Committed  Step = "committed"  // the device runs the new configuration under its timer; next: reconnect and compare
	Verified   Step = "verified"   // compared equal; next: Confirm
	Confirming Step = "confirming" // next: Confirm, whose outcome is unknown until the next step
	Confirmed  Step = "confirmed"  // kept and saved; next: receipt
	Discarding Step = "discarding" // next: Discard or waiting for the timer
	RolledBack Step = "rolledback" // the device is as it was; next: receipt
)

// Steps are all steps, in order.
func Steps() []Step {
	return []Step{Opened, Staged, Committing, Committed, Verified, Confirming, Confirmed, Discarding, RolledBack}
}

// ErrOpen is returned by Create for a device that has a journal: a restore of
// it is under way or was interrupted.
var ErrOpen = errors.New("a restore of this device is open")

// ErrBusy is returned when another process holds the journal.
var ErrBusy = errors.New("another process is restoring this device")

// Head is what a restore fixed before its first step.
type Head struct {
	Version  int               `json:"version"` // 1
	Device   string            `json:"device"`  // device id
	Name     string            `json:"name"`    // its name then, for messages
	Driver   string            `json:"driver"`
	ChangeID string            `json:"change"`
	Started  time.Time         `json:"started"`
	Within   time.Duration     `json:"within"`
	Target   Object            `json:"target"`
	Undo     *Object           `json:"undo,omitempty"` // nil with --no-undo
	Allowed  []string          `json:"allowed,omitempty"`
	Address  string            `json:"address,omitempty"`  // where to reconnect, if the change moves it
	Map      map[string]string `json:"map,omitempty"`      // interface map
	Serials  []string          `json:"serials,omitempty"`  // of the unit being restored
	Plan     string            `json:"plan,omitempty"`     // SHA-256 of the plan that was approved
	Unit     *Place            `json:"unit,omitempty"`     // where the unit is, if not where the inventory says
	NotBack  []string          `json:"not-back,omitempty"` // artefacts that the driver cannot put back

	DryRun    bool `json:"dry-run,omitempty"`   // what is staged is discarded, and never committed
	Rehearsal bool `json:"rehearsal,omitempty"` // what compares equal is not kept
	Merge     bool `json:"merge,omitempty"`     // the target is of another release: what the unit lacks is put back
	Migrate   bool `json:"migrate,omitempty"`   // the target is of another release, and the platform's own migrator takes it

	Untaken []Line `json:"untaken,omitempty"` // lines of what was staged that the device said it does not take
}

// Line is a line of an artefact.
type Line struct {
	Artefact string `json:"artefact"`
	Number   int    `json:"line"` // from 1
}

// Place is where a unit answers that does not stand in its device's place yet.
type Place struct {
	Address  string   `json:"address"`
	HostKeys []string `json:"host-keys"`
}

// Object is a sealed object of the vault that lies beside the journal.
type Object struct {
	SHA256  string          `json:"sha256"`   // of the ciphertext, hex
	Entry   json.RawMessage `json:"entry"`    // what the vault's record says of it
	FileKey []byte          `json:"file-key"` // age file key of this one object
}

// Mark is one journalled step.
type Mark struct {
	Step Step      `json:"step"`
	Time time.Time `json:"time"`
	Note string    `json:"note,omitempty"` // a code, never device text
}

// Journal is one restore of one device. It is not safe for concurrent use; a
// lock keeps other processes out while it is open.
type Journal struct {
	dir   string
	lock  *os.File
	head  Head
	marks []Mark
	steps *os.File
	good  int64 // bytes of whole lines in the file of steps, when it was read
}

const (
	headFile  = "head.json"
	stepsFile = "steps.jsonl"
)

// Create opens a new journal for head.Device below root. ErrOpen if the device
// has one already, ErrBusy if another process is at work on it.
func Create(root string, head Head) (*Journal, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	lock, err := acquire(root, head.Device)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, head.Device)
	if _, err := os.Stat(filepath.Join(dir, headFile)); err == nil {
		lock.Close()
		return nil, ErrOpen
	}
	// Without a head nothing had begun: what lies there is from a crash while
	// the journal was being made.
	if err := os.RemoveAll(dir); err != nil {
		lock.Close()
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		lock.Close()
		return nil, fmt.Errorf("journal: %w", err)
	}
	head.Version = 1
	return &Journal{dir: dir, lock: lock, head: head}, nil
}

// Put keeps a sealed object beside the journal under name. It is durable when
// Put returns.
func (j *Journal) Put(name string, sealed []byte) error {
	return writeFile(j.dir, name, sealed)
}

// Object returns a sealed object kept by Put.
func (j *Journal) Object(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(j.dir, name))
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return data, nil
}

// Open writes the head and the first step. Until it returns, the journal does
// not exist for other processes.
func (j *Journal) Open() error {
	if err := j.openSteps(); err != nil {
		return err
	}
	if err := j.Update(func(*Head) {}); err != nil {
		return err
	}
	return j.Step(Opened, "")
}

// Update changes the head durably.
func (j *Journal) Update(change func(*Head)) error {
	change(&j.head)
	data, err := json.MarshalIndent(j.head, "", "  ")
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return writeFile(j.dir, headFile, append(data, '\n'))
}

// Step appends a step; it is durable when Step returns.
func (j *Journal) Step(s Step, note string) error {
	m := Mark{Step: s, Time: time.Now().UTC(), Note: note}
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if _, err := j.steps.Write(append(data, '\n')); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := j.steps.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.marks = append(j.marks, m)
	return nil
}

// Head returns what the restore fixed at its start.
func (j *Journal) Head() Head { return j.head }

// Marks returns the steps so far.
func (j *Journal) Marks() []Mark { return j.marks }

// Last returns the newest step, or "" if there is none.
func (j *Journal) Last() Step {
	if len(j.marks) == 0 {
		return ""
	}
	return j.marks[len(j.marks)-1].Step
}

// Reached reports whether the restore has passed a step.
func (j *Journal) Reached(s Step) bool {
	for _, m := range j.marks {
		if m.Step == s {
			return true
		}
	}
	return false
}

// Load opens the journal that a device has. fs.ErrNotExist if it has none.
func Load(root, device string) (*Journal, error) {
	dir := filepath.Join(root, device)
	data, err := os.ReadFile(filepath.Join(dir, headFile))
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	lock, err := acquire(root, device)
	if err != nil {
		return nil, err
	}
	j := &Journal{dir: dir, lock: lock}
	if err := j.load(data); err != nil {
		lock.Close()
		return nil, err
	}
	return j, nil
}

func (j *Journal) load(head []byte) error {
	if err := json.Unmarshal(head, &j.head); err != nil {
		return fmt.Errorf("journal: %s is damaged: %w; look at what the device runs, then move the folder away", filepath.Join(j.dir, headFile), err)
	}
	if j.head.Version != 1 {
		return fmt.Errorf("journal: %s has version %d; this cfgvault knows version 1", j.dir, j.head.Version)
	}
	data, err := os.ReadFile(filepath.Join(j.dir, stepsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("journal: %w", err)
	}
	for line := range bytes.Lines(data) {
		var m Mark
		// The last line may be torn by the crash: it was never acknowledged.
		if !bytes.HasSuffix(line, []byte("\n")) || json.Unmarshal(line, &m) != nil {
			break
		}
		j.marks = append(j.marks, m)
		j.good += int64(len(line))
	}
	if err := j.openSteps(); err != nil {
		return err
	}
	return j.steps.Truncate(j.good)
}

// Exists reports whether a device has an open journal.
func Exists(root, device string) bool {
	_, err := os.Stat(filepath.Join(root, device, headFile))
	return err == nil
}

// Devices returns the ids of all devices with an open journal.
func Devices(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() && Exists(root, e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// Finish forgets the restore: file keys first, then everything else. The
// journal is closed.
func (j *Journal) Finish() error {
	defer j.Close()
	err := j.Update(func(h *Head) {
		h.Target.FileKey = nil
		if h.Undo != nil {
			h.Undo.FileKey = nil
		}
	})
	if err != nil {
		return err
	}
	return j.remove()
}

// remove forgets the folder. The head goes first: without it there is no
// journal.
func (j *Journal) remove() error {
	if err := os.Remove(filepath.Join(j.dir, headFile)); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := syncDir(j.dir); err != nil {
		return err
	}
	if err := os.RemoveAll(j.dir); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Close lets other processes at the journal; what is on disk stays.
func (j *Journal) Close() error {
	if j.steps != nil {
		j.steps.Close()
		j.steps = nil
	}
	if j.lock != nil {
		j.lock.Close()
		j.lock = nil
	}
	return nil
}

func (j *Journal) openSteps() error {
	f, err := os.OpenFile(filepath.Join(j.dir, stepsFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.steps = f
	return syncDir(j.dir)
}

func acquire(root, device string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(root, device+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrBusy
		}
		return nil, fmt.Errorf("journal: lock: %w", err)
	}
	return f, nil
}

// writeFile replaces dir/name durably: temp, fsync, rename, directory fsync.
func writeFile(dir, name string, data []byte) error {
	f, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}
