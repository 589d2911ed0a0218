package session

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

func TestScreen(t *testing.T) {
	for _, c := range []struct{ in, out, tail string }{
		{"a\r\nb\n\rc\r\r\nd", "a\nb\nc\n", "d"},
		{"trailing  \r\n\tx\r\n", "trailing  \n\tx\n", ""},
		{"wrong\b\b\b\b\bright", "", "right"},
		{"        \rc# x", "", "c# x"},
		{"wrong\b\b\b\b\b     \b\b\b\b\bok\r\n", "ok\n", ""},
		{"progress 10%\rprogress 100%\r\n", "progress 100%\n", ""},
		{"\x1b[1;31mred\x1b[0m\x1b[K\r\n", "red\n", ""},
		{"\x1b]0;title core1#\x07core1#", "", "core1#"},
		{"\x1bP1$r\x1b\\x\x1b(B\x1b=y", "", "xy"},
		{"abc\x1b[2Dx\x1b[Ky", "", "axy"},
		{"abcdef\x1b[3G\x1b[2P\x1b[@", "", "ab ef"},
		{"core1\x1b[24;1Hcore2", "", "core2"},
		{"\x00a\x07\x7f\x0eb\x11", "", "ab"},
		{"grün\bx\r\n", "grüx\n", ""},
		{"übel\rÜ", "", "Übel"},
		{"über\ro", "", "ober"},
		{"one\x1bEtwo", "one\n", "two"},
		{"\x1b[?2004hcore1# ", "", "core1# "},
		{"        \rcore1#", "", "core1#"},
		{"\b\b\b\b    \b\b\b\b\rc# ", "", "c# "},
		{"kept \x03 and \x0c\r\n", "kept \x03 and \x0c\n", ""},
	} {
		var s screen
		s.write([]byte(c.in))
		if string(s.out) != c.out || string(s.tail()) != c.tail || s.bad {
			t.Errorf("%q: got %q and %q", c.in, s.out, s.tail())
		}
	}
}

func TestScreenPager(t *testing.T) {
	more := regexp.MustCompile(`--More--|---\(more[^)]*\)---`)
	for _, c := range []struct{ pager, after, out string }{
		{" --More-- ", "\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b" + "!\r\n", "!\n"},
		{" --More-- ", "\r          \r" + "   indented\r\n", "   indented\n"},
		{"--More--", "\r\x1b[K" + "\r\n", "\n"},
		{"--More--", "\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b" + "\r\nx\r\n", "\nx\n"},
		{"--More--", "\r\nnext\r\n", "next\n"},
		{"---(more 45%)---", "\r                                        \rset x\r\n", "set x\n"},
		{"--More--", "\x1b[2K\x1b[1G" + " x\r\n", " x\n"},
	} {
		var s screen
		s.write([]byte(c.pager))
		if !s.pager(more) || len(s.trimmed(0)) != 0 {
			t.Errorf("%q: not taken off", c.pager)
		}
		s.write([]byte(c.after))
		if string(s.out) != c.out {
			t.Errorf("%q %q: got %q", c.pager, c.after, s.out)
		}
	}
}

// FuzzScreen: it does not matter how the bytes were cut up; no control
// character that moves or hides text comes out; few bytes do not make many;
// plain text passes unchanged.
func FuzzScreen(f *testing.F) {
	for _, s := range []string{"a\r\nb", "x\b\x1b[K", "\x1b]0;t\x07p#", "\x1b[99999@\x1b[3P", " --More-- \b\b  \r", "ü\b\x1b[D", "\x1b[1;2H\x1b[J"} {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		var whole, pieces screen
		whole.write(b)
		r := rand.New(rand.NewPCG(seed, 0))
		for rest := b; len(rest) > 0; {
			n := 1 + r.IntN(len(rest))
			pieces.write(rest[:n])
			rest = rest[n:]
		}
		if !bytes.Equal(whole.out, pieces.out) || !bytes.Equal(whole.tail(), pieces.tail()) || whole.bad != pieces.bad {
			t.Fatalf("%q: %q %q in one piece, %q %q in several", b, whole.out, whole.tail(), pieces.out, pieces.tail())
		}
		if i := bytes.IndexAny(append(whole.out, whole.line...), "\x00\x07\b\r\x1b\x7f"); i >= 0 {
			t.Fatalf("%q: a control character in %q", b, whole.out)
		}
		if len(whole.out)+len(whole.line) > (1+mostInserted)*len(b)+1 {
			t.Fatalf("%d bytes became %d", len(b), len(whole.out)+len(whole.line))
		}
		if len(whole.weak) != len(whole.line) || whole.col > len(whole.line) {
			t.Fatalf("%q: %d flags for %d bytes, cursor %d", b, len(whole.weak), len(whole.line), whole.col)
		}
		if !bytes.ContainsFunc(b, func(r rune) bool { return r < 0x20 && r != '\n' || r == 0x7f }) && !bytes.Equal(append(whole.out, whole.tail()...), b) {
			t.Fatalf("%q became %q", b, whole.out)
		}
	})
}

// fakeShell is a shell on a device without SSH between them. The device's
// bytes come in pieces of random size.
func fakeShell(d *device, seed uint64) (*shell, error) {
	rules, err := newShellRules(shellInfo)
	if err != nil {
		return nil, err
	}
	toDevice, fromUs := io.Pipe()
	toUs, fromDevice := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(fromDevice, 1<<16)
		_ = d.talk(flusher{toDevice, w}, w)
		_ = w.Flush()
		_ = fromDevice.Close()
	}()
	r := rand.New(rand.NewPCG(seed, 1))
	sh := &shell{s: &Session{t: Target{Device: "core1"}}, r: rules, w: fromUs, frames: map[string]string{}}
	sh.in = newInbox(pieces{toUs, r}, func(error) error { return plugins.ErrSessionLost })
	sh.hangUp = func() { _ = fromUs.Close(); _ = toUs.Close() }
	return sh, nil
}

// flusher sends what the device printed before it waits for input.
type flusher struct {
	io.Reader
	w *bufio.Writer
}

func (f flusher) Read(p []byte) (int, error) {
	_ = f.w.Flush()
	return f.Reader.Read(p)
}

type pieces struct {
	io.Reader
	r *rand.Rand
}

func (p pieces) Read(b []byte) (int, error) {
	return p.Reader.Read(b[:min(len(b), 1+p.r.IntN(200))])
}

// FuzzShell: whatever lines a command prints, prompts and pagers among them,
// a success is exactly those lines.
func FuzzShell(f *testing.F) {
	f.Add("core1#\nx\ncore1#", "", uint64(1))
	f.Add("core1#", "\r\n", uint64(2))
	f.Add("a\n\n --More-- \nPassword: \ncore1(config)#\nb", "", uint64(3))
	f.Add("no newline", "[edit]\r\n", uint64(4))
	f.Add("core1#core1#", "", uint64(5))
	f.Fuzz(func(t *testing.T, out, before string, seed uint64) {
		printable := func(s string) bool {
			return !strings.ContainsFunc(strings.ReplaceAll(s, "\r\n", ""), func(r rune) bool { return r < 0x20 || r == 0x7f || r == 0xfffd })
		}
		out = strings.ReplaceAll(out, "\r", "")
		if !printable(strings.ReplaceAll(out, "\n", "")) || !printable(before) || len(out) > 4000 || len(before) > 100 || before != "" && !strings.HasSuffix(before, "\r\n") {
			return
		}
		d := newDevice()
		d.answers["x"], d.before = out, before
		sh, err := fakeShell(d, seed)
		if err != nil {
			t.Fatal(err)
		}
		defer sh.close()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if sh.login(ctx) != nil {
			return
		}
		got, err := sh.run(ctx, plugins.Command{Text: "x"})
		if err == nil && got.End == plugins.EndSentinel && string(got.Stdout) != out {
			t.Fatalf("printed %q, got %q", out, got.Stdout)
		}
		if err != nil && got.End != plugins.EndCut {
			t.Fatalf("%s with %v", got.End, err)
		}
	})
}
