package agent

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
)

func secretText(t *testing.T) *plugins.Text {
	t.Helper()
	tx, err := plugins.NewText(plugins.Info{Name: "t", Secrets: []plugins.SecretRule{
		{ID: "password", Pattern: `password (\S+)`},
		{ID: "key", Pattern: `BEGIN KEY`, Until: `END KEY`},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// A secret that changes is a change that is seen, and the secret is not.
func TestDiffHidesSecrets(t *testing.T) {
	tx := secretText(t)
	a := "hostname r1\n password oldcanary\nBEGIN KEY\nk1\nk2\nk3\nk4\nk5canary\nk6\nk7\nk8\nk9\nEND KEY\nend\n"
	b := "hostname r1\n password newcanary\nBEGIN KEY\nk1\nk2\nk3\nk4\nk5othercanary\nk6\nk7\nk8\nk9\nEND KEY\nend\n"
	got := Diff(tx, "x", "a", "b", []byte(a), []byte(b))
	if strings.Contains(got, "canary") || strings.Contains(got, "k6") || strings.Contains(got, "\x00") {
		t.Errorf("a secret is shown:\n%s", got)
	}
	if strings.Count(got, "\n-") < 2 || strings.Count(got, "\n+") < 2 {
		t.Errorf("a changed secret is not shown as a change:\n%s", got)
	}
	if Diff(tx, "x", "a", "b", []byte(a), []byte(a)) != "" {
		t.Error("equal texts differ")
	}
}

// What follows a certificate in a diff is shown, and a file that is secret as a
// whole hides nothing of other text.
func TestScrubLeavesTheRest(t *testing.T) {
	tx, err := plugins.NewText(plugins.Info{Name: "t", Secrets: []plugins.SecretRule{
		{ID: "certificate", Pattern: `certificate [0-9A-F]+( .*)?$`, Until: `^\s*quit$`},
		{ID: "pem", Pattern: `^-----BEGIN`, Until: `^-----END`},
		{ID: "host-key", Artefact: "etc/key", Pattern: `(.+)`},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []plugins.Artefact{{Name: "etc/key", Data: []byte("line of a keycanary\n")}}
	got := newScrubber(tx, want).scrub("+ certificate 01\n+  3082canary\n+  \tquit\n+ntp server a\n-line of a keycanary\n------BEGIN KEY\n-canary\n------END KEY\n-----BEGIN KEY\ncanary\n-----END KEY\n+last\n")
	if strings.Contains(got, "canary") {
		t.Errorf("a secret is shown:\n%s", got)
	}
	for _, shown := range []string{"+ntp server a\n", "+  \tquit\n", "------END KEY\n", "+last\n"} {
		if !strings.Contains(got, shown) {
			t.Errorf("%q is hidden:\n%s", shown, got)
		}
	}
}

// A device's own diff shows lines out of their block: what is known to be
// secret is hidden all the same.
func TestScrub(t *testing.T) {
	tx := secretText(t)
	want := []plugins.Artefact{{Name: "x", Data: []byte("BEGIN KEY\n  k1canary\nEND KEY\n password p2canary\n")}}
	got := newScrubber(tx, want).scrub("@@ -1 +1 @@\n-  k1canary\n+ password p2canary\n+password p3canary\n keep this\n")
	if strings.Contains(got, "canary") {
		t.Errorf("a secret is shown:\n%s", got)
	}
	if !strings.Contains(got, "keep this") {
		t.Errorf("too much is hidden:\n%s", got)
	}
}
