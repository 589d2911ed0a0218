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
