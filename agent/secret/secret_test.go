package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/agent/secret"
)

// No verb, encoder or logger may show a secret, alone or inside a struct.
func TestNeverShown(t *testing.T) {
	const canary = "s3cret-canary"
	v := secret.New(canary)
	holder := struct{ V secret.Value }{v}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, v)
		fmt.Fprintf(&out, verb, &v)
		fmt.Fprintf(&out, verb, holder)
	}
	if err := json.NewEncoder(&out).Encode(holder); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("login", "password", v, "holder", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("login", "password", v, "holder", holder)
	fmt.Fprint(&out, fmt.Errorf("login with %v: refused", v))
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Fatalf("the secret was printed: %s", out.String())
	}
	if v.Reveal() != canary {
		t.Fatal("Reveal does not give the secret")
	}
}
