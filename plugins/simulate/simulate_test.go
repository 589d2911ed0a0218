package simulate

import (
	"context"
	"io"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Run(ctx, "eos", "", "127.0.0.1:0", w) }()
	buf := make([]byte, 1024)
	n, err := r.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"address:  127.0.0.1:", "user:     admin\n", "password: ", "host key: SHA256:"} {
		if !strings.Contains(string(buf[:n]), want) {
			t.Errorf("no %q in %q", want, buf[:n])
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := Run(t.Context(), "toaster", "", "127.0.0.1:0", io.Discard); err == nil {
		t.Error("a toaster can be simulated")
	}
}
