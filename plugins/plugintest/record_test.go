package plugintest_test

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/plugintest"
)

// What is recorded is a fixture that passes, and recording it again gives the
// same.
func TestRecord(t *testing.T) {
	for _, form := range []string{"exec", "shell"} {
		t.Run(form, func(t *testing.T) {
			first, err := plugintest.Record(t.Context(), toy{}, fixtures(toyFixture)[0].Session(form), "Recorded.", "% Unknown command")
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(string(first), "-- facts --", "canary: "+toyCanary+"\n-- facts --", 1)
			again := fixtures(text)
			if err := plugintest.Run(t.Context(), toy{}, again, quick()); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
			second, err := plugintest.Record(t.Context(), toy{}, again[0].Session(form), "Recorded.", "% Unknown command")
			if err != nil || string(second) != string(first) {
				t.Errorf("%v, got\n%s\nwant\n%s", err, second, first)
			}
		})
	}
}

// Bytes that txtar cannot carry are kept all the same.
func TestRecordOddBytes(t *testing.T) {
	odd := strings.Replace(toyFixture, "slot 1: card A\nslot 2: card B\n-- stream", "c2xvdCAxOiBjYXJkIEENCi0tIHggLS0KAP8=\n-- stream", 1)
	odd = strings.Replace(odd, "-- run show inventory", "-- run[base64] show inventory", 1)
	odd = strings.Replace(odd, "-- tree --", "-- none --", 1)
	odd, _, _ = strings.Cut(odd, "-- none --")
	f := fixtures(odd)[0]
	text, err := plugintest.Record(t.Context(), toy{}, f.Session("exec"), "", "% Unknown command")
	if err != nil {
		t.Fatal(err)
	}
	again := fixtures(string(text))[0]
	if got, want := string(again.Artefacts[1].Data), string(f.Artefacts[1].Data); got != want || !strings.Contains(got, "\x00\xff") {
		t.Errorf("got %q, want %q", got, want)
	}
}
