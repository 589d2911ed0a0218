package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// habits are how a person reads a platform's configuration, without any code of
// ours between: what he types and what of the answer is new each time.
type habits struct {
	exec     bool     // on exec channels, one per line, not on a terminal
	lines    []string // the last one shows the configuration
	volatile string   // the lines that are not part of it
}

func habitsOf(driver string) (habits, error) {
	switch driver {
	case "eos":
		return habits{false, []string{"enable", "terminal length 0", "show running-config"}, `^(! |$)`}, nil
	case "ios":
		return habits{false, []string{"enable", "terminal length 0", "show running-config"}, `^(Building configuration|Current configuration|! Last configuration change|!$|$)`}, nil
	case "nxos":
		return habits{false, []string{"terminal length 0", "show running-config"}, `^(!Command|!Running configuration last done|!No configuration change|!Time|$)`}, nil
	case "iosxr":
		return habits{false, []string{"terminal length 0", "show running-config"}, `^([A-Z][a-z]{2} [A-Z][a-z]{2} .*UTC|Building configuration|!! |!$|$)`}, nil
	case "junos":
		return habits{false, []string{"set cli screen-length 0", "show configuration"}, `^(## Last|$)`}, nil
	case "vyos":
		return habits{false, []string{"set terminal length 0", "show configuration"}, `^$`}, nil
	case "routeros":
		return habits{true, []string{"/export show-sensitive"}, `^#`}, nil
	case "openwrt":
		return habits{true, []string{"uci export"}, `^$`}, nil
	case "sonic":
		return habits{true, []string{"sonic-cfggen -d --print-data", "cat /etc/sonic/config_db.json"}, `^$`}, nil
	}
	return habits{}, fmt.Errorf("nobody here knows how to read %s", driver)
}

// readAsPerson logs in with a plain client and reads the configuration.
func readAsPerson(s *simulated) (string, error) {
	h, err := habitsOf(s.driver)
	if err != nil {
		return "", err
	}
	addr := s.cable.l.Addr().String()
	if s.scheme != "" {
		return h.plain(s, addr)
	}
	o := s.device.Options()
	client, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{
		User: o.User, Auth: []ssh.AuthMethod{ssh.Password(o.Password)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second,
	})
	if err != nil {
		return "", err
	}
	defer client.Close()
	if h.exec {
		var all strings.Builder
		for _, l := range h.lines {
			sess, err := client.NewSession()
			if err != nil {
				return "", err
			}
			out, err := sess.Output(l)
			if err != nil {
				return "", fmt.Errorf("%s: %w", l, err)
			}
			all.Write(out)
		}
		return h.significant(all.String()), nil
	}
	sess, err := client.NewSession()
	if err != nil {
		return "", err
	}
	in, err := sess.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := sess.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := sess.RequestPty("vt100", 24, 80, ssh.TerminalModes{}); err != nil {
		return "", err
	}
	if err := sess.Shell(); err != nil {
		return "", err
	}
	return h.terminal(&screen{out: out, in: in}, o.Enable)
}

// plain reads over Telnet or a serial console.
func (h habits) plain(s *simulated, addr string) (string, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return "", err
	}
	t := &screen{out: conn, in: conn}
	o := s.device.Options()
	if err := t.say(""); err != nil { // a console waits for somebody
		return "", err
	}
	if _, err := t.until(`(?i)(login|username): $`); err != nil {
		return "", err
	}
	if err := t.say(o.User); err != nil {
		return "", err
	}
	if _, err := t.until(`Password: $`); err != nil {
		return "", err
	}
	if err := t.say(o.Password); err != nil {
		return "", err
	}
	text, err := h.terminal(t, o.Enable)
	if err == nil {
		err = t.say("exit")
	}
	return text, err
}

const shellPrompt = `(?m)^[\w@.\-:~/]+[>#$] ?$`

// terminal types at a prompt and returns what the last line showed.
func (h habits) terminal(t *screen, enable string) (string, error) {
	if _, err := t.until(shellPrompt); err != nil {
		return "", err
	}
	text := ""
	for _, l := range h.lines {
		if err := t.say(l); err != nil {
			return "", err
		}
		out, err := t.until(`(` + shellPrompt + `|(?m)^Password: $)`)
		if err == nil && strings.HasSuffix(out, "Password: ") {
			if err := t.say(enable); err != nil {
				return "", err
			}
			out, err = t.until(shellPrompt)
		}
		if err != nil {
			return "", err
		}
		text = out
	}
	_, text, _ = strings.Cut(text, "\n") // the echo
	return h.significant(text[:strings.LastIndex(text, "\n")+1]), nil
}

func (h habits) significant(text string) string {
	volatile := regexp.MustCompile(h.volatile)
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, " \r\n"); !volatile.MatchString(line) {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// screen is the far end of a person's keyboard and screen.
type screen struct {
	out  io.Reader
	in   io.Writer
	seen []byte
}

func (t *screen) say(line string) error {
	t.seen = nil
	_, err := io.WriteString(t.in, line+"\r")
	return err
}

// until reads until what was shown since the last line that was typed ends as
// said.
func (t *screen) until(end string) (string, error) {
	re := regexp.MustCompile(end)
	buf := make([]byte, 4096)
	for {
		text := string(bytes.ReplaceAll(t.seen, []byte("\r"), nil))
		if all := re.FindAllStringIndex(text, -1); len(all) > 0 && all[len(all)-1][1] == len(text) {
			return text, nil
		}
		n, err := t.out.Read(buf)
		t.seen = append(t.seen, buf[:n]...)
		if err != nil {
			return "", fmt.Errorf("%w after %q", err, t.seen)
		}
	}
}
