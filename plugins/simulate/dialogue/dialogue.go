// Package dialogue plays written conversations with a simulated device, so that
// what a platform says can be read and reviewed as text beside its code.
//
// It compares nothing: a test writes down what it returns, or holds it against
// what stands in the file.
package dialogue

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// Play has the conversation of a text and returns the text with what the
// device really said. In it, a line
//
//	; text       is a comment
//	a# command   is typed on login a, the first of a to f made as needed
//	a< text      is pasted after it, up to Ctrl-D
//	a? prompt    is answered with Enter; "prompt => reply" with the reply
//	~ 5m         lets time pass
//	! reload     and "! factory-reset", "! disconnect" happen to the device
//
// and every other line is what the device said when the text was written.
// "-- lost" is a login that ended, "-- no login" one that was refused. login
// makes a login: [device.Device.Login], or one of its sessions' CLI.
func Play(ctx context.Context, d *device.Device, clock *device.ManualClock, login func() (plugins.CLI, error), text string) (string, error) {
	p := player{d: d, clock: clock, login: login, logins: map[string]plugins.CLI{}, lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}
	defer func() {
		for _, cli := range p.logins {
			cli.Close()
		}
	}()
	for p.at < len(p.lines) {
		l := p.lines[p.at]
		p.at++
		k := kind(l)
		if k == "" || k == "<" || k == "?" {
			continue
		}
		p.out.WriteString(l + "\n")
		if k == "#" {
			if err := p.typed(ctx, l); err != nil {
				return "", err
			}
		} else if err := p.happens(k, l[2:]); err != nil {
			return "", err
		}
	}
	return p.out.String(), nil
}

type player struct {
	d      *device.Device
	clock  *device.ManualClock
	login  func() (plugins.CLI, error)
	logins map[string]plugins.CLI
	lines  []string
	at     int
	out    strings.Builder
}

// kind is the mark of a line that is not the device's.
func kind(l string) string {
	switch {
	case strings.HasPrefix(l, "~ "), strings.HasPrefix(l, "! reload"), strings.HasPrefix(l, "! factory"), strings.HasPrefix(l, "! disconnect"), strings.HasPrefix(l, "; "):
		return l[:1]
	case len(l) > 2 && l[0] >= 'a' && l[0] <= 'f' && strings.Contains("#<?", l[1:2]) && l[2] == ' ':
		return l[1:2]
	}
	return ""
}

func (p *player) happens(kind, what string) error {
	switch {
	case kind == "~":
		wait, err := time.ParseDuration(what)
		if err != nil {
			return fmt.Errorf("line %d: %w", p.at, err)
		}
		p.clock.Advance(wait)
	case kind == "!" && what == "reload":
		p.d.Reload()
	case kind == "!" && what == "factory-reset":
		p.d.FactoryReset()
	case kind == "!" && what == "disconnect":
		p.d.Disconnect()
	}
	return nil
}

func (p *player) typed(ctx context.Context, l string) error {
	who := l[:1]
	c := plugins.Command{Text: l[3:]}
	for ; p.at < len(p.lines) && (kind(p.lines[p.at]) == "<" || kind(p.lines[p.at]) == "?"); p.at++ {
		more := p.lines[p.at]
		p.out.WriteString(more + "\n")
		if more[1] == '<' {
			c.Input = append(c.Input, more[3:]+"\n"...)
		} else {
			prompt, reply, _ := strings.Cut(more[3:], " => ")
			c.Answers = append(c.Answers, plugins.Answer{Prompt: prompt, Reply: reply})
		}
	}
	cli := p.logins[who]
	if cli == nil {
		var err error
		if cli, err = p.login(); err != nil {
			p.out.WriteString("-- no login\n")
			return nil
		}
		p.logins[who] = cli
	}
	got, err := cli.Run(ctx, c)
	p.out.Write(got.Stdout)
	if n := len(got.Stdout); n > 0 && got.Stdout[n-1] != '\n' {
		p.out.WriteString("\n")
	}
	if err != nil || got.End == plugins.EndCut {
		p.out.WriteString("-- lost\n")
		delete(p.logins, who)
		cli.Close()
	}
	return ctx.Err()
}
