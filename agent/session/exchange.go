package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

const (
	sentMost    = 4       // sentinels in one exchange
	frameWindow = 8 << 10 // bytes before the prompt that are searched for the sentinel
)

// pace is how long the device must be quiet before something is typed. It
// never decides whether the output is complete: that takes the echo of a nonce
// right behind the prompt, and then the same prompt.
type pace struct {
	known  time.Duration // the exact prompt stands there: the sentinel
	guess  time.Duration // what may be a prompt, a question or a pager
	repeat time.Duration // a prompt, but the sentinel had no effect: another one; then doubled
}

func usualPace() pace {
	return pace{known: 2 * time.Millisecond, guess: 25 * time.Millisecond, repeat: 2 * time.Second}
}

// exchange is one command on a shell, up to the proved prompt.
type exchange struct {
	text  string
	typed bool   // text is typed; otherwise the prompt is only proved
	input []byte // typed once the command was echoed, then Ctrl-D
	limit int64
	loose bool // anything may stand between sentinel and prompt
	// ask says what to type at a question; n questions were answered before.
	ask func(line []byte, n int) (reply string, ok bool, err error)
}

// conversation is an exchange under way.
type conversation struct {
	exchange
	sh        *shell
	began     string // the prompt at which the command was typed
	echoInput []byte

	sent []string // sentinel lines as typed, in order
	keys []string // the nonces in them

	asked             int // questions answered
	askedAt, askedLen int // the line that was answered last, and its length then

	// The first of two proofs that have to agree.
	frame, frameOf string
	framed         bool
	endFor         int // sentinels sent by then

	afterText bool // the output ended without a newline

	end      int    // where the output ends in the finished lines
	endFrame string // what stood between the last sentinel and the prompt
}

// exchange types the command and reads up to the next prompt. After an error
// the login is of no more use.
func (sh *shell) exchange(ctx context.Context, x exchange) (plugins.Output, error) {
	ctx, end, err := sh.begin(ctx)
	if err != nil {
		return plugins.Output{End: plugins.EndCut}, err
	}
	defer end()
	sh.scr.rewind()
	c := &conversation{exchange: x, sh: sh, began: sh.prompt, echoInput: x.input, askedAt: -1}
	if x.typed {
		if err := c.typeLine(x.text); err != nil {
			return c.cut(), c.fail(ctx, err)
		}
	}
	for {
		done, err := c.turn(ctx)
		if err != nil {
			return c.cut(), c.fail(ctx, err)
		}
		if done {
			return c.output(), nil
		}
	}
}

// begin makes ctx end what happens on the shell. A console is left in order
// after that, by whoever closes the shell, so there only the exchange ends.
func (sh *shell) begin(ctx context.Context) (context.Context, func(), error) {
	if sh.dying == nil {
		stop := context.AfterFunc(ctx, sh.close)
		return ctx, func() { stop() }, nil
	}
	sh.talking.Lock()
	select {
	case <-sh.dying:
		sh.talking.Unlock()
		return nil, nil, sh.s.lost()
	default:
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		select {
		case <-sh.dying:
			cancel(sh.s.lost())
		case <-done:
		}
	}()
	return ctx, func() {
		close(done)
		cancel(nil)
		sh.talking.Unlock()
	}, nil
}

// fail prefers the reason why the login was closed.
func (c *conversation) fail(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, plugins.ErrSessionLost) {
		return cause
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (c *conversation) cut() plugins.Output {
	scr := &c.sh.scr
	return plugins.Output{Stdout: append(scr.out, scr.tail()...), End: plugins.EndCut}
}

// typeLine types a line. Without echo no newline will follow the prompt, and
// what comes next begins a line.
func (c *conversation) typeLine(s string) error {
	if !c.sh.r.CommandEcho {
		scr := &c.sh.scr
		scr.line, scr.weak, scr.col = scr.line[:0], scr.weak[:0], 0
	}
	return c.send(s + c.sh.r.Newline)
}

func (c *conversation) send(s string) error {
	if _, err := io.WriteString(c.sh.w, s); err != nil {
		return c.sh.s.lost()
	}
	return nil
}

// turn takes what came and does at most one thing about it.
func (c *conversation) turn(ctx context.Context) (done bool, err error) {
	scr := &c.sh.scr
	got, lost := c.sh.in.swap(c.sh.spare)
	scr.write(got)
	c.sh.spare = got
	if int64(len(scr.out)+len(scr.line)) > c.limit {
		return false, fmt.Errorf("%w: more than %d bytes", plugins.ErrTooLarge, c.limit)
	}
	if lost != nil && len(got) == 0 {
		return false, lost
	}
	act, delay, err := c.next()
	if err != nil {
		return false, err
	}
	if act == nil {
		_, err := c.sh.in.wait(ctx, 0)
		return false, err
	}
	if delay > 0 {
		if more, err := c.sh.in.wait(ctx, delay); more || err != nil {
			return false, err
		}
	}
	return act()
}

// next looks at the unterminated last line and says what to do, once it has
// been quiet for the delay.
func (c *conversation) next() (act func() (bool, error), delay time.Duration, err error) {
	scr, r := &c.sh.scr, c.sh.r
	started := !c.typed || len(scr.out) > 0 || !r.CommandEcho
	if !started {
		return nil, 0, nil // the echo of the command has not ended yet
	}
	if c.input != nil {
		return c.typeInput, 0, nil
	}
	tail := scr.tail()
	known := c.sh.prompt != "" && string(tail) == c.sh.prompt
	if !known && c.ask != nil {
		if reply, ok, err := c.question(tail); err != nil {
			return nil, 0, err
		} else if ok {
			return func() (bool, error) {
				c.asked++
				c.askedAt, c.askedLen = len(scr.out), len(tail)
				return false, c.send(reply)
			}, c.sh.pace.guess, nil
		}
	}
	if known || r.isPrompt(tail) {
		return c.atPrompt(string(tail), known)
	}
	if c.typed && c.sh.prompt != "" && len(tail) <= longestPrompt && bytes.HasSuffix(tail, []byte(c.sh.prompt)) {
		return c.behindText()
	}
	if r.pager != nil && len(tail) > 0 && len(tail) <= longestPrompt && r.pager.Match(tail) {
		return func() (bool, error) {
			scr.pager(r.pager)
			return false, c.send(r.ContinueKey)
		}, c.sh.pace.guess, nil
	}
	return nil, 0, nil
}

// question looks for one that was not answered yet: on a line that was, only
// what came since is looked at.
func (c *conversation) question(tail []byte) (string, bool, error) {
	if c.askedAt == len(c.sh.scr.out) {
		tail = tail[min(c.askedLen, len(tail)):]
	}
	if len(tail) == 0 || len(tail) > longestPrompt {
		return "", false, nil
	}
	return c.ask(tail, c.asked)
}

// atPrompt proves a prompt: it types the sentinel, and accepts when the
// device has echoed it right behind the prompt and shows the prompt again.
func (c *conversation) atPrompt(tail string, known bool) (func() (bool, error), time.Duration, error) {
	finish := func() (bool, error) {
		c.sh.prompt = tail
		return true, nil
	}
	if len(c.sent) > 0 {
		frame, ok := c.proved(tail)
		switch {
		case !ok:
		case c.loose:
			return finish, c.sh.pace.known, nil
		case c.trusts(tail, frame):
			return finish, c.sh.pace.known, nil
		case c.endFor < len(c.sent) && len(c.sent) < sentMost: // a second proof must agree
			return func() (bool, error) {
				c.frame, c.frameOf, c.framed, c.endFor = frame, tail, true, len(c.sent)
				return c.typeSentinel()
			}, c.sh.pace.known, nil
		}
		return c.repeat()
	}
	if known {
		return c.typeSentinel, c.sh.pace.known, nil
	}
	return c.typeSentinel, c.sh.pace.guess, nil
}

// behindText is for a prompt on the line where the output ended without a
// newline. The echo of the sentinel will tell where one begins and the other
// ends.
func (c *conversation) behindText() (func() (bool, error), time.Duration, error) {
	if len(c.sent) > 0 {
		return c.repeat()
	}
	return c.typeSentinel, c.sh.pace.guess, nil
}

// repeat types another sentinel where one had no effect, and in the end gives
// up.
func (c *conversation) repeat() (func() (bool, error), time.Duration, error) {
	if len(c.sent) < sentMost {
		return c.typeSentinel, c.sh.pace.repeat << (len(c.sent) - 1), nil
	}
	return func() (bool, error) {
		c.sh.unproved = true
		c.end = len(c.sh.scr.out)
		return true, nil
	}, c.sh.pace.repeat, nil
}

// trusts reports whether a proof is enough. A prompt other than the one at
// which we began or behind text, and a frame that was not seen before, must
// show twice.
func (c *conversation) trusts(prompt, frame string) bool {
	twice := c.framed && c.frame == frame && c.frameOf == prompt && c.endFor < len(c.sent)
	if known, ok := c.sh.frames[prompt]; !twice && (prompt != c.began || c.afterText || ok && known != frame || !ok && frame != "") {
		return false
	}
	if len(c.sh.frames) > 64 {
		clear(c.sh.frames)
	}
	c.sh.frames[prompt] = frame
	return true
}

func (c *conversation) typeSentinel() (bool, error) {
	n := nonce()
	line := strings.Replace(c.sh.r.Sentinel, "%s", n, 1)
	c.sent, c.keys = append(c.sent, line), append(c.keys, n)
	return false, c.typeLine(line)
}

func (c *conversation) typeInput() (bool, error) {
	in := string(c.input)
	c.input = nil
	if in != "" && !strings.HasSuffix(in, "\n") {
		in += "\n"
	}
	return false, c.send(strings.ReplaceAll(in, "\n", c.sh.r.Newline) + "\x04")
}

// proved looks for the last sentinel right behind the prompt, and returns what
// stands between it and the prompt now: nothing, or what the device always
// prints there ("[edit]"), or its complaint about the sentinel ("Unknown
// command: …"), with "%s" for the nonce. A sentinel that prints its nonce is
// accepted too.
//
// BUG(session): where the terminal, not the command line, echoes, an output
// that holds the exact prompt twice in a row, or ends in it without a newline,
// and pauses right behind it, can be taken for ended there.
func (c *conversation) proved(prompt string) (frame string, ok bool) {
	out := c.sh.scr.out
	from := max(0, len(out)-frameWindow)
	key := c.keys[len(c.keys)-1]
	lines := []string{prompt + c.sent[len(c.sent)-1], prompt + key}
	if !c.sh.r.CommandEcho {
		lines = append(lines, key)
	}
	for _, line := range lines {
		at := bytes.LastIndex(out[from:], []byte(line+"\n"))
		if at < 0 {
			continue
		}
		at += from
		// Only a prompt that is known for certain can follow text.
		behind := at > 0 && out[at-1] != '\n'
		if behind && prompt != c.began {
			continue
		}
		c.afterText = c.afterText || behind
		frame = string(out[at+len(line)+1:])
		frame = strings.ReplaceAll(strings.TrimPrefix(frame, key+"\n"), key, "%s")
		c.end, c.endFrame = at, frame
		return frame, true
	}
	return "", false
}

// output cuts the command's output out of what was shown.
func (c *conversation) output() plugins.Output {
	scr := &c.sh.scr
	text := scr.out[:c.end]
	// Sentinels before the last one: where two proofs were needed, or a slow
	// device answered the first after all.
	cutFrame := func(text []byte, before int) []byte {
		key := "%s"
		if before >= 0 {
			key = c.keys[before]
		}
		return bytes.TrimSuffix(text, []byte(strings.ReplaceAll(c.endFrame, "%s", key)))
	}
	text = cutFrame(text, len(c.sent)-2)
	for i := len(c.sent) - 2; i >= 0; i-- {
		for _, line := range []string{c.sh.prompt + c.sent[i] + "\n" + c.keys[i], c.sh.prompt + c.sent[i], c.sh.prompt + c.keys[i], c.keys[i]} {
			if rest, ok := bytes.CutSuffix(text, []byte(line+"\n")); ok {
				text = cutFrame(rest, i-1)
				break
			}
		}
	}
	o := plugins.Output{End: plugins.EndSentinel}
	for _, k := range c.keys {
		if bytes.Contains(text, []byte(k)) {
			o.End = plugins.EndCut // typed into the output: the bytes are not the device's
		}
	}
	if c.typed {
		rest, ok := c.cutEcho(text)
		if !ok {
			o.End = plugins.EndCut
		}
		text = rest
	}
	if scr.bad || c.sh.unproved {
		o.End = plugins.EndCut
	}
	o.Stdout = text
	return o
}

// cutEcho takes the echo of the command, and of its input, off the output. It
// fails if an echo was declared and what stands there is none: then nobody can
// say where the output begins.
func (c *conversation) cutEcho(text []byte) ([]byte, bool) {
	before := c.began
	echo := []byte(before + c.text)
	if rest, ok := bytes.CutPrefix(text, append(bytes.Clone(echo), '\n')); ok {
		return c.cutInput(rest), true
	}
	if !c.sh.r.CommandEcho {
		rest := bytes.TrimPrefix(text, []byte(before))
		if after, ok := bytes.CutPrefix(rest, []byte(c.text+"\n")); ok {
			rest = after
		}
		return rest, true
	}
	// Wrapped at the edge of a narrow terminal: lines that together are the
	// echo, blanks at the edge aside.
	var seen []byte
	want := squeeze(echo)
	rest := text
	for len(seen) < len(want) {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		line := rest[:i]
		if at := bytes.IndexByte(line, '$'); at >= 0 && at < len(before)+2 && len(line)-at > 8 && bytes.HasSuffix(echo, line[at+1:]) {
			return c.cutInput(rest[i+1:]), true // scrolled sideways: IOS shows "router#$end of the command"
		}
		seen = append(seen, squeeze(line)...)
		if !bytes.HasPrefix(want, seen) {
			break
		}
		rest = rest[i+1:]
		if len(seen) == len(want) {
			return c.cutInput(rest), true
		}
	}
	return text, false
}

func squeeze(b []byte) []byte { return bytes.ReplaceAll(b, []byte(" "), nil) }

// cutInput takes off the echo of the input, if all of it is there.
func (c *conversation) cutInput(text []byte) []byte {
	in := c.echoInput
	if len(in) == 0 {
		return text
	}
	if in[len(in)-1] != '\n' {
		in = append(bytes.Clone(in), '\n')
	}
	if rest, ok := bytes.CutPrefix(text, in); ok {
		return rest
	}
	return text
}
