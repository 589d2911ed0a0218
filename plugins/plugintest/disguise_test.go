package plugintest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/plugintest"
)

// A disguised recording holds no secret, and is a fixture that passes with the
// fakes as canaries.
func TestRecordDisguised(t *testing.T) {
	record := func(key string) string {
		s, err := plugintest.NewDisguise(fixtures(toyFixture)[0].Session("shell"), toy{}.Info(), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		text, err := plugintest.Record(t.Context(), toy{}, s, "Recorded.", "% Unknown command")
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	text := record("a key")
	if strings.Contains(text, toyCanary) {
		t.Errorf("the secret is in the recording:\n%s", text)
	}
	if !strings.Contains(text, "\ncanary: ") {
		t.Errorf("no canary:\n%s", text)
	}
	if err := plugintest.Run(t.Context(), toy{}, fixtures(text), quick()); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	if record("a key") != text {
		t.Error("the same key gives other fakes")
	}
	if record("another key") == text {
		t.Error("another key gives the same fakes")
	}
}

// said is a session whose every command prints the same.
type said struct {
	plugins.Session
	text string
}

func (s said) Run(context.Context, plugins.Command) (plugins.Output, error) {
	return plugins.Output{Stdout: []byte(s.text), End: plugins.EndStatus}, nil
}

// A fake has the shape of its secret.
func TestDisguiseShapes(t *testing.T) {
	info := plugins.Info{Name: "x", Secrets: []plugins.SecretRule{
		{ID: "pw", Pattern: `\bsecret (\S+)`}, {ID: "again", Pattern: `\bother (\S+)`},
		{ID: "key", Pattern: `-----BEGIN .*KEY-----`, Until: `-----END`},
	}}
	pem := "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0abc+/12\nZZ9=\n-----END RSA PRIVATE KEY-----\n"
	for secret, shape := range map[string]string{
		"public":                              `^[a-z]{6}$`,
		"S3cret-Word":                         `^[A-Z]\d[a-z]{4}-[A-Z][a-z]{3}$`,
		"$6$rounds=5000$abcDEF12$hashHASH0./": `^\$6\$rounds=5000\$[a-z]{3}[A-Z]{3}\d\d\$[a-z]{4}[A-Z]{4}\d\./$`,
		"$1$mERr$hx5rVt7rPNoS4wqbXKX7m0":      `^\$1\$[a-zA-Z]{4}\$[a-zA-Z0-9]{22}$`,
		"0822455D0A16":                        `^08[\dA-F]{10}$`,
		"0x5f4dcc3b5aa765d61d8327deb882cf99":  `^0x[\da-f]{32}$`,
		"c2VjcmV0LXNlY3JldA==":                `^[A-Za-z0-9+/]{18}==$`,
		"12345678":                            `^\d{8}$`,
		"pässword":                            `^[a-z]xx[a-z]{6}$`,
		"%^%#fake%^%#":                        `^%\^%#[a-z]{4}%\^%#$`,
	} {
		text := "secret " + secret + "\nother " + secret + "\n" + pem
		d, err := plugintest.NewDisguise(said{text: text}, info, []byte("key"))
		if err != nil {
			t.Fatal(err)
		}
		out, err := d.Run(t.Context(), plugins.Command{Text: "show"})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(out.Stdout), "\n")
		fake, again := strings.TrimPrefix(lines[0], "secret "), strings.TrimPrefix(lines[1], "other ")
		if fake == secret || fake != again || len(fake) != len(secret) || !regexp.MustCompile(shape).MatchString(fake) {
			t.Errorf("%q became %q and %q", secret, fake, again)
		}
		if lines[2] != "-----BEGIN RSA PRIVATE KEY-----" || lines[5] != "-----END RSA PRIVATE KEY-----" || lines[3] == "MIIEpAIBAAKCAQEA0abc+/12" || lines[4] == "ZZ9=" {
			t.Errorf("key: %q", lines[2:])
		}
		if _, err := base64.StdEncoding.DecodeString(lines[3]); err != nil || len(lines[3]) != 24 {
			t.Errorf("%q is no base64: %v", lines[3], err)
		}
	}
}

// What a rule of one output finds is gone from the others too.
func TestDisguiseElsewhere(t *testing.T) {
	s := fixtures(toyFixture)[0].Session("exec")
	d, err := plugintest.NewDisguise(leaky{s}, toy{}.Info(), []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := plugintest.Record(t.Context(), toy{}, d, "", "% Unknown command")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(toyCanary)) {
		t.Errorf("shown elsewhere:\n%s", text)
	}
}

// leaky prints the secret a second time, where no rule looks for it.
type leaky struct{ plugins.Session }

func (l leaky) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	out, err := l.Session.Run(ctx, c)
	if strings.HasPrefix(c.Text, "show inventory") {
		out.Stdout = append(out.Stdout, "label "+toyCanary+"\n"...)
	}
	return out, err
}
