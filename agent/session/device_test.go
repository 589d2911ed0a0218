package session

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/plugins"
)

// device is a command line in the manner of IOS, with what can be wrong with
// one.
type device struct {
	name      string
	greeting  string            // before the first prompt
	prompt    string            // printf of name and mode; empty: "%s%s#"
	eol       string            // empty: CR LF
	answers   map[string]string // command → output, LF
	before    string            // before every prompt: "\r\n[edit]\r\n"
	enable    string            // password; empty: the login is privileged
	asked     atomic.Int32      // how often the enable password was wrong
	redraw    bool              // the echo is drawn with escape sequences
	width     int               // echo wraps at this width
	page      int               // lines per page, until "terminal length 0"
	noPaging  bool              // "terminal length 0" is refused
	erase     string            // after a key at the pager
	mute      bool              // nothing is echoed
	complains bool              // a comment is no command
	slurp     bool              // input that was typed ahead is thrown away at the prompt
	typed     atomic.Int32      // lines typed
	logins    atomic.Int32
}

func (d *device) serve(ch ssh.Channel) {
	d.logins.Add(1)
	_ = d.talk(ch, ch)
}

// talk runs the command line until "exit" or the end of input.
func (d *device) talk(r io.Reader, w io.Writer) error {
	in := bufio.NewReader(r)
	eol := d.eol
	if eol == "" {
		eol = "\r\n"
	}
	say := func(s string) { _, _ = io.WriteString(w, strings.ReplaceAll(s, "\n", eol)) }
	privileged, mode, page := d.enable == "", "", d.page
	say(d.greeting)
	for {
		form := d.prompt
		if form == "" {
			form = "%s%s#"
		}
		prompt := fmt.Sprintf(form, d.name, mode)
		if !privileged {
			prompt = d.name + ">"
		}
		_, _ = io.WriteString(w, d.before+prompt)
		if d.slurp {
			_, _ = in.Discard(in.Buffered())
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimRight(line, "\r\n")
		d.typed.Add(1)
		d.echo(w, prompt, line)
		if !d.mute {
			say("\n")
		}
		switch out, ok := d.answers[line]; {
		case strings.HasPrefix(line, "!") && d.complains:
			say("Unknown command: " + line + "\n")
		case strings.HasPrefix(line, "!") || line == "":
		case line == "exit":
			return nil
		case line == "terminal length 0" && d.noPaging:
			say("% Invalid input\n")
		case line == "terminal length 0":
			page = 0
		case line == "enable":
			privileged = d.login(in, say)
		case line == "configure terminal":
			mode = "(config)"
		case line == "end":
			mode = ""
		case line == "ask":
			say("Proceed? [confirm]")
			key, _ := in.ReadByte()
			say(fmt.Sprintf("\nkey %q\n", key))
		case line == "read":
			var got bytes.Buffer
			for {
				b, err := in.ReadByte()
				if err != nil {
					return err
				}
				if b == 4 {
					break
				}
				got.WriteByte(b)
				say(string(b))
			}
			say(fmt.Sprintf("got %d bytes\n", got.Len()))
		case !ok:
			say("% Invalid input detected\n")
		default:
			d.print(in, say, out, page)
		}
	}
}

func (d *device) echo(w io.Writer, prompt, line string) {
	switch {
	case d.mute:
	case d.redraw:
		// As a readline that draws the whole line for each key, and corrects
		// itself.
		for i := range line {
			fmt.Fprintf(w, "\r\x1b[K\x1b[1m%s\x1b[0m%s", prompt, line[:i+1])
		}
		fmt.Fprint(w, "zz\b\b\x1b[K\x1b]0;title\x07")
	case d.width > 0:
		col := len(prompt)
		for _, c := range line {
			if col == d.width {
				fmt.Fprint(w, " \r\n")
				col = 0
			}
			fmt.Fprint(w, string(c))
			col++
		}
	default:
		fmt.Fprint(w, line)
	}
}

func (d *device) login(in *bufio.Reader, say func(string)) bool {
	for range 3 {
		say("Password: ")
		got, err := in.ReadString('\n')
		say("\n")
		if err != nil {
			return false
		}
		if strings.TrimSpace(got) == d.enable {
			return true
		}
		d.asked.Add(1)
	}
	say("% Bad secrets\n\n")
	return false
}

func (d *device) print(in *bufio.Reader, say func(string), out string, page int) {
	if page == 0 {
		say(out)
		return
	}
	n := 0
	for line := range strings.Lines(out) {
		if n == page {
			say(" --More-- ")
			if b, err := in.ReadByte(); err != nil || b == 'q' {
				return
			}
			say(d.erase)
			n = 0
		}
		say(line)
		n++
	}
}

var shellInfo = plugins.Info{
	Name:       "test",
	Transports: []plugins.Transport{plugins.TransportShell},
	Shell: plugins.Shell{
		Prompt:       `(?m)^[\w.-]+[>#]$`,
		Privileged:   `#$`,
		Enable:       "enable",
		EnablePrompt: `(?i)password: ?$`,
		Setup:        []string{"terminal length 0"},
		Pager:        `--More--`,
		Sentinel:     "!%s",
		Exit:         "exit",
		CommandEcho:  true,
		ModePrompt:   `(?m)^[\w.-]+\([^)]*\)#$`,
	},
}

const config = "!\nhostname core1\n!\ninterface Ethernet1\n   description to core2\n\n   no shutdown   \n!\nend\n"

func newDevice() *device {
	return &device{name: "core1", answers: map[string]string{"show running-config": config, "true": ""}}
}

// serveDevice starts a server with the device behind its shell.
func serveDevice(t testing.TB, d *device) *sshServer {
	s := newServer(t)
	s.shell = d.serve
	return s.start()
}

func deviceTarget(s *sshServer) Target {
	t := s.target()
	t.Enable = secret.New(canary2)
	return t
}
