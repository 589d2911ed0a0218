package plugins_test

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func text(t *testing.T) *plugins.Text {
	t.Helper()
	tx, err := plugins.NewText(plugins.Info{
		Name:     "t",
		Volatile: []plugins.LineRule{{ID: "time", Artefact: "running-config", Pattern: `^! Time:`}},
		Secrets: []plugins.SecretRule{
			{ID: "password", Pattern: `neighbor \S+ password (?:\d+ )?(\S+)`},
			{ID: "community", Pattern: `snmp-server community (\S+)`},
			{ID: "key", Pattern: `BEGIN PRIVATE KEY`, Until: `END PRIVATE KEY`},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func TestRedact(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "hostname r1\n", "hostname r1\n"},
		{"submatch", " neighbor 10.0.0.1 password 7 hunter2\r\n", " neighbor 10.0.0.1 password 7 •••\r\n"},
		{"in a diff", "+snmp-server community public ro\n", "+snmp-server community ••• ro\n"},
		{"no newline at the end", "neighbor a password b", "neighbor a password •••"},
		{"many lines", "x\n-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----\ny\n",
			"x\n•••\n•••\n•••\n-----END PRIVATE KEY-----\ny\n"},
		{"unclosed", "BEGIN PRIVATE KEY\nAAAA\n", "•••\n•••\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := text(t).Redact("", tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSignificant(t *testing.T) {
	in := "! Time: now\nhostname r1\n"
	if got := string(text(t).Significant("running-config", []byte(in))); got != "hostname r1\n" {
		t.Errorf("got %q", got)
	}
	if got := string(text(t).Significant("other", []byte(in))); got != in {
		t.Errorf("a rule for one artefact touched another: %q", got)
	}
	binary := "! Time: x\n\x00"
	if got := string(text(t).Significant("running-config", []byte(binary))); got != binary {
		t.Errorf("binary data was changed: %q", got)
	}
}

func TestNewTextNamesTheBadRule(t *testing.T) {
	_, err := plugins.NewText(plugins.Info{Name: "x", Volatile: []plugins.LineRule{{ID: "bad-one", Pattern: "("}}})
	if err == nil || !strings.Contains(err.Error(), "bad-one") {
		t.Errorf("got %v", err)
	}
}

func TestSignificantOrder(t *testing.T) {
	tx, err := plugins.NewText(plugins.Info{Name: "t",
		Volatile:  []plugins.LineRule{{ID: "time", Pattern: `^! Time:`}},
		Unordered: []plugins.LineRule{{ID: "lists", Artefact: "running-config", Pattern: `^(prefix-list|route-map) `}},
	})
	if err != nil {
		t.Fatal(err)
	}
	one := "hostname a\nprefix-list B 1\nprefix-list A 1\n!\nroute-map Z\n match b\n match a\nexit\n!\nroute-map Y\nexit\n!\nend\n"
	two := "! Time: now\nhostname a\nprefix-list A 1\nprefix-list B 1\n!\nroute-map Y\nexit\n!\nroute-map Z\n match b\n match a\nexit\n!\nend\n"
	a, b := tx.Significant("running-config", []byte(one)), tx.Significant("running-config", []byte(two))
	if string(a) != string(b) {
		t.Errorf("two orders of the same differ:\n%s---\n%s", a, b)
	}
	other := strings.Replace(two, " match b\n match a\n", " match a\n match b\n", 1)
	if c := tx.Significant("running-config", []byte(other)); string(c) == string(a) {
		t.Error("the order inside a block was lost")
	}
	if got := tx.Significant("frr.conf", []byte(one)); string(got) != one {
		t.Errorf("a rule for one artefact touched another: %q", got)
	}
}
