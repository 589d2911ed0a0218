package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// restic is a repository of restic's in a folder of its own, and the files that
// it backs up: one for each device, which is what somebody has who fetches
// configurations by other means. All devices make one snapshot: one for each
// would cost restic most of a second a device. Every command derives its key
// from a password, which is a good part of the shorter times.
type restic struct {
	dir, password string
}

func newRestic(dir string) (*restic, error) {
	if _, err := exec.LookPath("restic"); err != nil {
		return nil, fmt.Errorf("restic is not installed: %w", err)
	}
	r := &restic{dir: dir, password: rand.Text()}
	if err := os.MkdirAll(filepath.Join(dir, "files"), 0o700); err != nil {
		return nil, err
	}
	return r, r.run("init")
}

func (r *restic) run(args ...string) error {
	cmd := exec.Command("restic", append([]string{"--quiet"}, args...)...)
	cmd.Dir = filepath.Join(r.dir, "files")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.dir, "TMPDIR=" + r.dir,
		"RESTIC_REPOSITORY=" + filepath.Join(r.dir, "repository"), "RESTIC_PASSWORD=" + r.password}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("restic %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (r *restic) file(device int) string { return "files/" + vaultDevice(device) }

// write puts the texts of devices in their files: every step-th one.
func (r *restic) write(texts [][]byte, step int) error {
	var failed error
	for i := 0; i < len(texts); i += step {
		failed = errors.Join(failed, os.WriteFile(filepath.Join(r.dir, r.file(i)), texts[i], 0o600))
	}
	return failed
}

// night backs all files up.
func (r *restic) night() error { return r.run("backup", ".") }

// restore brings the file of one device back and compares it.
func (r *restic) restore(device int, want []byte) error {
	out := filepath.Join(r.dir, "out")
	defer os.RemoveAll(out)
	if err := r.run("restore", "latest", "--include", vaultDevice(device), "--target", out); err != nil {
		return err
	}
	var found []string
	err := filepath.WalkDir(out, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) != 1 {
		return fmt.Errorf("restic restored the files %q: %w", found, errors.Join(err, errors.New("want one")))
	}
	got, err := os.ReadFile(found[0])
	if err == nil && !bytes.Equal(got, want) {
		err = errors.New("restic restored another text")
	}
	return err
}
