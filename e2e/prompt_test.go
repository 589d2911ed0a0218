package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// A clock that precedes the home's last record stops a run before a device is
// touched.
func TestClockFarOff(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	d := h.newSwitch("sw1")
	h.must("backup", "sw1")
	path := filepath.Join(h.dir, "vault", "agent", "chain.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var chain map[string]any
	if err := json.Unmarshal(data, &chain); err != nil {
		t.Fatal(err)
	}
	chain["time"] = time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
	if data, err = json.Marshal(chain); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	touched := d.Inject(device.Fault{Command: "show running-config", Before: func() {}})
	r := h.want(16, "backup", "sw1")
	if !strings.Contains(r.err, "clock is wrong") || !strings.Contains(r.err, "set it right") {
		t.Errorf("the error does not name the clock: %s", r.err)
	}
	if touched() != 0 {
		t.Error("the device was read")
	}
	if n := len(h.list("sw1")); n != 1 {
		t.Errorf("%d snapshots", n)
	}
}

// Ctrl-C at the question whether to restore leaves everything as it was.
func TestInterruptAtTheQuestion(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	d := h.newSwitch("sw1")
	h.must("backup", "sw1")
	d.FactoryReset()
	wiped := d.Running()
	s := openTerminal(t, h.command("restore", "sw1"))
	s.await("Restore sw1? [y/N]")
	if _, err := s.master.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	code, screen := s.end()
	if code != 130 || d.Running() != wiped || h.lastStep("sw1") != "" {
		t.Errorf("exit status %d, journal %q, want 130 and the device as it was\n%s", code, h.lastStep("sw1"), screen)
	}
}

// An identity under a passphrase is asked for at the terminal, without echo.
func TestPassphraseAtTheTerminal(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.newSwitch("sw1")
	h.must("backup", "sw1")
	path := filepath.Join(h.dir, "vault", "identity.txt")
	plain, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const phrase = "four words not eight"
	to, err := age.NewScryptRecipient(phrase)
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(10)
	var sealed bytes.Buffer
	a := armor.NewWriter(&sealed)
	w, err := age.Encrypt(a, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, sealed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	h.want(12, "show", "sw1") // nobody to ask
	for answer, want := range map[string]int{phrase: 0, "three words only": 12} {
		s := openTerminal(t, h.command("show", "sw1"))
		s.await(": ")
		s.typed(answer)
		code, screen := s.end()
		if code != want || strings.Contains(screen, answer) {
			t.Errorf("exit status %d, want %d; the screen shows\n%s", code, want, screen)
		}
	}
}
