package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func TestMedianAndRatio(t *testing.T) {
	s := func(all ...int) (d []time.Duration) {
		for _, n := range all {
			d = append(d, time.Duration(n)*time.Second)
		}
		return d
	}
	if got := median(s(9, 1, 5)); got != 5*time.Second {
		t.Errorf("median is %v", got)
	}
	// A slow minute of the machine strikes both of a pair: its ratio stays.
	if got := ratio(s(2, 20, 2), s(4, 40, 1)); got != 0.5 {
		t.Errorf("ratio is %v", got)
	}
	if got := ratio(s(6), s(4, 100)); got != 1.5 {
		t.Errorf("ratio of what has no pair is %v", got)
	}
}

func TestFleetArithmetic(t *testing.T) {
	if got := ideal(1000, 250, 500*time.Millisecond); got != 2*time.Second {
		t.Errorf("ideal is %v", got)
	}
	for _, talk := range []waits{{logins: 1, lines: 20}, {logins: 2, lines: 7}, {logins: 1, lines: 1}} {
		p := paceFor(500*time.Millisecond, talk)
		if got := talk.total(p); got > 500*time.Millisecond || got < 499*time.Millisecond {
			t.Errorf("%+v at %+v waits %v", talk, p, got)
		}
		if p.login <= 0 || p.line <= 0 {
			t.Errorf("%+v: %+v", talk, p)
		}
	}
}

func TestWholeFRR(t *testing.T) {
	text := "!RANCID\nhostname r1\nrouter bgp 65001\nrouter ospf\nroute-map RM1 permit 10\nend\n"
	if err := wholeFRR([]byte(text), "r1"); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(text[8:]) {
		if wholeFRR([]byte(strings.Replace(text, line, "", 1)), "r1") == nil {
			t.Errorf("whole without %q", line)
		}
	}
}

// The plain clients that the agent is compared with type as many lines as they
// say, over both transports, and the fleet counts them.
func TestPlainClients(t *testing.T) {
	for _, over := range []transport{overSSH, telnet} {
		t.Run(string(over), func(t *testing.T) {
			in, ask := io.Pipe()
			answer, out := io.Pipe()
			done := make(chan error, 1)
			go func() { done <- serveFleet("0 0 "+string(over), in, out) }()
			f := &simulated{over: over, in: ask, out: bufio.NewReader(answer)}
			if _, err := fmt.Fscanln(f.out, &f.addr, &f.password); err != nil {
				t.Fatal(err)
			}
			if over == overSSH {
				if _, err := hostKey(f.addr); err != nil {
					t.Error(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if _, _, err := f.clients(ctx, 3, 2); err != nil {
				t.Fatal(err)
			}
			w, err := f.waited()
			if err != nil {
				t.Fatal(err)
			}
			if lines := 3 * int64(2*len(dialogue())-2); w.logins != 3 || w.lines != lines || w.cpu <= 0 { // each but two is a command and a mark
				t.Errorf("waited %+v, want 3 logins and %d lines", w, lines)
			}
			ask.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
