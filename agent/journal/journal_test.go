package journal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/agent/journal"
)

func create(t *testing.T, root string) *journal.Journal {
	t.Helper()
	j, err := journal.Create(root, journal.Head{
		Device: "d1", Name: "core1", ChangeID: "c1",
		Target: journal.Object{SHA256: "k", FileKey: []byte("0123456789abcdef")},
		Undo:   &journal.Object{SHA256: "u", FileKey: []byte("fedcba9876543210")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// What was journalled before a crash is there after it; a torn last line was
// never acknowledged and does not stop the next process.
func TestSurvivesTornStep(t *testing.T) {
	root := t.TempDir()
	j := create(t, root)
	if err := j.Put("target.age", []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	if journal.Exists(root, "d1") {
		t.Error("the journal exists before Open")
	}
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	if err := j.Step(journal.Staged, ""); err != nil {
		t.Fatal(err)
	}
	j.Close()
	steps := filepath.Join(root, "d1", "steps.jsonl")
	data, err := os.ReadFile(steps)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(steps, append(data, []byte(`{"step":"comm`)...), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err = journal.Load(root, "d1")
	if err != nil {
		t.Fatal(err)
	}
	if j.Last() != journal.Staged || !j.Reached(journal.Opened) || j.Reached(journal.Committing) {
		t.Errorf("steps after the crash: %v", j.Marks())
	}
	if sealed, err := j.Object("target.age"); err != nil || string(sealed) != "sealed" {
		t.Errorf("object: %q, %v", sealed, err)
	}
	if err := j.Step(journal.Committing, ""); err != nil {
		t.Fatal(err)
	}
	j.Close()
	j, err = journal.Load(root, "d1")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if j.Last() != journal.Committing {
		t.Errorf("a step after a torn one is lost: %v", j.Marks())
	}
}

// One device has at most one restore, in this process or another.
func TestOnlyOne(t *testing.T) {
	root := t.TempDir()
	j := create(t, root)
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Create(root, journal.Head{Device: "d1"}); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("while held: %v", err)
	}
	if _, err := journal.Load(root, "d1"); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("load while held: %v", err)
	}
	j.Close()
	if _, err := journal.Create(root, journal.Head{Device: "d1"}); !errors.Is(err, journal.ErrOpen) {
		t.Errorf("after a crash: %v", err)
	}
	if ids, err := journal.Devices(root); err != nil || len(ids) != 1 || ids[0] != "d1" {
		t.Errorf("devices: %v, %v", ids, err)
	}
}

// A crash while the journal is being made leaves no journal, and the next
// restore starts afresh.
func TestCrashBeforeOpen(t *testing.T) {
	root := t.TempDir()
	j := create(t, root)
	if err := j.Put("target.age", []byte("x")); err != nil {
		t.Fatal(err)
	}
	j.Close()
	j = create(t, root)
	defer j.Close()
	if _, err := j.Object("target.age"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a leftover object is there: %v", err)
	}
}

// A damaged head is told with what to do; it is never taken for no journal.
func TestDamagedHead(t *testing.T) {
	root := t.TempDir()
	j := create(t, root)
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	j.Close()
	if err := os.WriteFile(filepath.Join(root, "d1", "head.json"), []byte("{garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Load(root, "d1"); err == nil || !strings.Contains(err.Error(), "move the folder away") {
		t.Errorf("load: %v", err)
	}
	if _, err := journal.Create(root, journal.Head{Device: "d1"}); !errors.Is(err, journal.ErrOpen) {
		t.Errorf("create: %v", err)
	}
}

// Finish leaves no trace, least of all a file key.
func TestFinishForgets(t *testing.T) {
	root := t.TempDir()
	j := create(t, root)
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	if err := j.Finish(); err != nil {
		t.Fatal(err)
	}
	if journal.Exists(root, "d1") {
		t.Error("the journal is still there")
	}
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		if bytes.Contains(data, []byte("file-key")) {
			t.Errorf("%s still holds a file key", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Load(root, "d1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("load: %v", err)
	}
}
