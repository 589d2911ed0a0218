package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/journal"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/vault"
)

// What happened to the device comes before why: the first error of the table
// that matches decides.
func TestStatusOf(t *testing.T) {
	tests := []struct {
		err  error
		want Status
	}{
		{nil, Done},
		{errors.New("anything"), Failed},
		{usageError{errors.New("x")}, Usage},
		{statusError{Partly, nil}, Partly},
		{fmt.Errorf("a: %w", agent.ErrNoVault), NoVault},
		{fmt.Errorf("a: %w", inventory.ErrNoDevice), NotFound},
		{fmt.Errorf("a: %w", vault.ErrNoSnapshot), NotFound},
		{vault.ErrNoIdentity, NoIdentity},
		{session.ErrAuth, Unreachable},
		{session.ErrHostKeyUnknown, Unreachable},
		{fmt.Errorf("a: %w", &session.HostKeyError{}), Unreachable},
		{host.ErrPlugin, Plugin},
		{&vault.IntegrityError{}, Integrity},
		{&agent.GateError{}, Refused},
		{journal.ErrOpen, Refused},
		{plugins.ErrWrongPlatform, Refused},
		{fmt.Errorf("%w: %w", agent.ErrRolledBack, session.ErrUnreachable), RolledBack},
		{fmt.Errorf("%w: %w", agent.ErrRolledBack, context.Canceled), RolledBack},
		{fmt.Errorf("%w: %w", agent.ErrOutcome, agent.ErrRolledBack), Outcome},
		{fmt.Errorf("a: %w", context.Canceled), Interrupted},
		{inventory.ErrCredential, Failed},
		{fmt.Errorf("%w: %w", inventory.ErrCredential, inventory.ErrConfig), Usage},
	}
	for _, tt := range tests {
		if got := statusOf(tt.err); got != tt.want {
			t.Errorf("statusOf(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
	for _, s := range []Status{Done, Failed, Usage, Partly, NoVault, NotFound, NoIdentity, Unreachable, Plugin, Integrity, Refused, RolledBack, Outcome, Interrupted} {
		if meaning[s] == "" {
			t.Errorf("status %d is not explained", s)
		}
	}
}

func TestClean(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain\ttext\n", "plain\ttext\n"},
		{"•••", "•••"},
		{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"bell\a\r\n", `bell\x07\x0d` + "\n"},
		{"\xff\xfe", `\xff\xfe`},
		{"right\u202eto left", `right\u202eto left`},
		{"\u009b31m", `\u009b31m`},
	}
	for _, tt := range tests {
		if got := clean(tt.in); got != tt.want {
			t.Errorf("clean(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1bb")
	f.Add("\u0085\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range clean(s) {
			if r != '\n' && r != '\t' && (r < 0x20 || r >= 0x7f && r < 0xa0) {
				t.Fatalf("clean(%q) holds control character %U", s, r)
			}
		}
	})
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	table(&b, [][]string{{"A", "LONG"}, {"väl", "x\ny"}, {"\x1b", ""}})
	want := "A     LONG\nväl   x y\n\\x1b\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("an escape character reached the terminal")
	}
}
