package host_test

import (
	"context"
	"net"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
)

// BenchmarkRun is one Run of a driver through the process boundary; the plugin
// makes b.N of them in one call.
func BenchmarkRun(b *testing.B) { benchmark(b, "bench-run") }

// BenchmarkOpen opens a stream, sends one byte, reads one and closes it.
func BenchmarkOpen(b *testing.B) { benchmark(b, "bench-open") }

// BenchmarkStart starts a process and ends it.
func BenchmarkStart(b *testing.B) {
	h := newHost(b, host.Options{})
	for b.Loop() {
		d, err := h.Own(b.Context(), "lab")
		if err != nil {
			b.Fatal(err)
		}
		d.Close()
	}
}

func benchmark(b *testing.B, what string) {
	d := shared(b, newHost(b, host.Options{}), "lab")
	s := benchDevice{doing(what)}
	if _, err := d.Identify(b.Context(), &s); err != nil { // warm
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.Identify(b.Context(), &s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/benchCalls, "µs/call")
	b.ReportMetric(0, "ns/op")
}

type benchDevice struct{ *device }

func (benchDevice) Run(context.Context, plugins.Command) (plugins.Output, error) {
	return plugins.Output{Stdout: []byte("x"), End: plugins.EndClosed}, nil
}

func (benchDevice) Open(context.Context, string, string) (net.Conn, error) {
	a, b := net.Pipe()
	go func() {
		var p [1]byte
		if _, err := b.Read(p[:]); err == nil {
			b.Write(p[:])
		}
		b.Close()
	}()
	return a, nil
}
