// Package corpus holds drivers and profiles against material that is not part
// of the project: recorded dialogues, replayed by a server through which the
// agent's own session logs in, and configurations of laboratory devices beside
// what the same devices said of themselves. CFGVAULT_CORPUS names its folder.
//
// It deliberately does not simulate: a replayed device says what was recorded
// and nothing else, and knows of no command what it does.
package corpus

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/gliderlabs/ssh"
	"github.com/goccy/go-yaml"
	gossh "golang.org/x/crypto/ssh"
)

// Folder is where the corpus is, "" without one.
func Folder() string { return os.Getenv("CFGVAULT_CORPUS") }

// Dialogue is a recorded dialogue: what the device shows first, and what it
// answered to each line or key, in order.
type Dialogue struct {
	Greeting string
	Steps    []Step
	Kept     string // the output that was kept of it, where the file has one
}

// Step is what was typed and everything that the device sent back, its echo
// and the next prompt with it.
type Step struct{ Typed, Answer string }

// ReadDialogue reads a recording in the form of ytti/oxidized's device
// simulations: YAML whose texts hold escapes.
func ReadDialogue(path string) (*Dialogue, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		InitPrompt string `yaml:"init_prompt"`
		Commands   any    `yaml:"commands"`
		Output     string `yaml:"oxidized_output"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d := &Dialogue{Greeting: unescape(file.InitPrompt), Kept: unescape(file.Output)}
	add := func(m yaml.MapSlice) {
		for _, item := range m {
			answer, _ := item.Value.(string)
			typed := fmt.Sprint(item.Key)
			if plain, err := strconv.Unquote(typed); err == nil { // the parser keeps the quotes of a key with a bar in it
				typed = plain
			}
			d.Steps = append(d.Steps, Step{typed, unescape(answer)})
		}
	}
	switch c := file.Commands.(type) {
	case yaml.MapSlice:
		add(c)
	case []any:
		for _, item := range c {
			if m, ok := item.(yaml.MapSlice); ok {
				add(m)
			}
		}
	}
	if len(d.Steps) == 0 {
		return nil, fmt.Errorf("%s: no commands", path)
	}
	return d, nil
}

// unescape reads the escapes of a double-quoted Ruby string.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'r', 'n', 't', 'b', 'a', 'e', '0':
			b.WriteByte(map[byte]byte{'r': '\r', 'n': '\n', 't': '\t', 'b': '\b', 'a': '\a', 'e': 0x1b, '0': 0}[c])
		case 'x':
			if n, err := strconv.ParseUint(s[i+1:min(i+3, len(s))], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Server plays a dialogue over SSH: on a shell, where an unrecorded line gets
// its echo and the prompt again, or, if it was recorded without a prompt, on
// exec channels, where an unrecorded command does not exist.
type Server struct {
	d       *Dialogue
	refusal string
	srv     *ssh.Server
	l       net.Listener
	key     gossh.Signer
}

// Serve starts to play d on a port of the loopback interface until Close.
// refusal is the platform's answer to a "show" that it does not know, given to
// those that were not recorded; "" for none. A startup configuration that was
// not recorded is one that was never saved.
func Serve(d *Dialogue, refusal string) (*Server, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := gossh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	s := &Server{d: d, refusal: refusal, key: key}
	s.srv = &ssh.Server{
		Handler: s.handle, HostSigners: []ssh.Signer{key}, PasswordHandler: func(ssh.Context, string) bool { return true },
		SessionRequestCallback: func(_ ssh.Session, kind string) bool { return (kind == "exec") == (d.Greeting == "") },
	}
	if s.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	go s.srv.Serve(s.l)
	return s, nil
}

// Close ends every login.
func (s *Server) Close() { s.srv.Close() }

// Port is where it listens.
func (s *Server) Port() int { return s.l.Addr().(*net.TCPAddr).Port }

// HostKey is the server's key in authorized_keys form.
func (s *Server) HostKey() string {
	return strings.TrimSpace(string(gossh.MarshalAuthorizedKey(s.key.PublicKey())))
}

func (s *Server) handle(c ssh.Session) {
	if line := c.RawCommand(); line != "" {
		answer, step := s.d.find(line, 0)
		if step < 0 {
			io.WriteString(c.Stderr(), line+": not found\n")
			c.Exit(127)
			return
		}
		io.WriteString(c, answer+"\n")
		c.Exit(0)
		return
	}
	_, changes, _ := c.Pty()
	go func() {
		for range changes {
		}
	}()
	at, prompt := 0, lastLine(s.d.Greeting)
	say := func(text string) {
		prompt = lastLine(text)
		io.WriteString(c, text)
	}
	say(s.d.Greeting)
	r := bufio.NewReader(c)
	var line []byte
	for {
		b, err := r.ReadByte()
		if err != nil {
			return
		}
		if len(line) == 0 && b != '\n' && at < len(s.d.Steps) && s.d.Steps[at].Typed == string(b) {
			at++
			say(s.d.Steps[at-1].Answer)
			continue
		}
		if b != '\n' && b != '\r' {
			line = append(line, b)
			continue
		}
		answer, step := s.d.find(string(line), at)
		switch {
		case step >= 0:
			at = step + 1
			say(answer)
		case strings.HasSuffix(strings.TrimSpace(prompt), ":") && at < len(s.d.Steps) && s.d.Steps[at].Typed == "\n":
			at++ // a question whose answer was left out of the recording
			say(s.d.Steps[at-1].Answer)
		case s.refusal != "" && strings.HasPrefix(string(line), "show ") && !strings.HasPrefix(string(line), "show startup-config"):
			io.WriteString(c, string(line)+"\r\n"+s.refusal+"\r\n"+prompt)
		default:
			io.WriteString(c, string(line)+"\r\n"+prompt)
		}
		line = line[:0]
	}
}

// Prompted gives a recording that was made without them its echoes and prompts.
func (d *Dialogue) Prompted(prompt string) {
	d.Greeting += "\r\n" + prompt
	for i := range d.Steps {
		if s := &d.Steps[i]; strings.HasSuffix(s.Typed, "\n") {
			s.Answer = strings.ReplaceAll(s.Typed+strings.TrimLeft(s.Answer, "\n"), "\n", "\r\n") + prompt
			if !strings.HasSuffix(s.Answer, "\r\n"+prompt) {
				s.Answer = strings.TrimSuffix(s.Answer, prompt) + "\r\n" + prompt
			}
		}
	}
}

// unpaged is what Junos has behind a command whose output shall come at once.
const unpaged = " | no-more"

// find returns the answer to a line and its step, from the place in the
// recording where the login is, else from its beginning; -1 if there is none.
// The recorded command may have had a filter behind it.
func (d *Dialogue) find(line string, from int) (answer string, step int) {
	for _, filtered := range []bool{false, true} {
		for n := range d.Steps {
			i := (from + n) % len(d.Steps)
			typed, isLine := strings.CutSuffix(d.Steps[i].Typed, "\n")
			if isLine && typed != "" && (typed == line || typed+unpaged == line || filtered && (strings.HasPrefix(typed, line+" |"))) {
				return strings.Replace(d.Steps[i].Answer, typed, line, 1), i
			}
		}
	}
	return "", -1
}

// lastLine is what a text leaves on the cursor's line.
func lastLine(s string) string {
	return s[strings.LastIndexByte(s, '\n')+1:]
}
