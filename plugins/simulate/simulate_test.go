package simulate

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for listen, wants := range map[string][]string{
		"127.0.0.1:0":           {"address:  127.0.0.1:", "user:     admin\n", "password: ", "host key: SHA256:"},
		"telnet://127.0.0.1:0":  {"address:  telnet://127.0.0.1:", "user:     admin\n", "password: "},
		"console://127.0.0.1:0": {"address:  console://127.0.0.1:", "user:     admin\n", "password: "},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		r, w := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- Run(ctx, "eos", "", listen, w) }()
		buf := make([]byte, 1024)
		n, err := r.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(buf[:n]), want) {
				t.Errorf("no %q in %q", want, buf[:n])
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := Run(t.Context(), "eos", "", "rlogin://127.0.0.1:0", io.Discard); !errors.Is(err, ErrAddress) {
		t.Errorf("rlogin: %v", err)
	}
	if err := Run(t.Context(), "toaster", "", "127.0.0.1:0", io.Discard); err == nil {
		t.Error("a toaster can be simulated")
	}
}
