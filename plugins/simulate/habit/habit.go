// Package habit makes a driver behave wrongly by changing what it says to a
// device and hears from it, for tables of mutations: a simulated device that
// no wrong behaviour fails on was written to please its driver.
package habit

import (
	"context"
	"net"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Habit is a wrong behaviour. The zero value is none.
type Habit struct {
	// Say turns a command into those that are said instead; nil says nothing
	// and hears silence.
	Say func(c plugins.Command) []plugins.Command
	// Hear changes what is heard.
	Hear func(c plugins.Command, o plugins.Output) plugins.Output
	// Write changes what is written to a stream.
	Write func(service, arg string, p []byte) []byte
}

// On applies f to the commands that begin with a prefix.
func On(prefix string, f func(plugins.Command) []plugins.Command) Habit {
	return Habit{Say: func(c plugins.Command) []plugins.Command {
		if strings.HasPrefix(c.Text, prefix) {
			return f(c)
		}
		return []plugins.Command{c}
	}}
}

// Nothing says nothing.
func Nothing(plugins.Command) []plugins.Command { return nil }

// Text says another line instead.
func Text(s string) func(plugins.Command) []plugins.Command {
	return func(c plugins.Command) []plugins.Command { c.Text = s; return []plugins.Command{c} }
}

// Change says the line with one part replaced.
func Change(old, fresh string) func(plugins.Command) []plugins.Command {
	return func(c plugins.Command) []plugins.Command {
		c.Text = strings.ReplaceAll(c.Text, old, fresh)
		return []plugins.Command{c}
	}
}

// Through puts the habit between a driver and a session.
func (h Habit) Through(s plugins.Session) plugins.Session { return session{s, h} }

type session struct {
	plugins.Session
	habit Habit
}

func (s session) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	return s.habit.run(ctx, s.Session, c)
}

func (s session) CLI(ctx context.Context) (plugins.CLI, error) {
	c, err := s.Session.CLI(ctx)
	if err != nil {
		return nil, err
	}
	return cli{c, s.habit}, nil
}

func (s session) Open(ctx context.Context, service, arg string) (net.Conn, error) {
	c, err := s.Session.Open(ctx, service, arg)
	if err != nil || s.habit.Write == nil {
		return c, err
	}
	return stream{c, func(p []byte) []byte { return s.habit.Write(service, arg, p) }}, nil
}

type cli struct {
	plugins.CLI
	habit Habit
}

func (c cli) Run(ctx context.Context, cmd plugins.Command) (plugins.Output, error) {
	return c.habit.run(ctx, c.CLI, cmd)
}

type stream struct {
	net.Conn
	change func([]byte) []byte
}

func (s stream) Write(p []byte) (int, error) {
	if _, err := s.Conn.Write(s.change(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

type runner interface {
	Run(context.Context, plugins.Command) (plugins.Output, error)
}

func (h Habit) run(ctx context.Context, r runner, c plugins.Command) (out plugins.Output, err error) {
	out.End = plugins.EndSentinel
	said := []plugins.Command{c}
	if h.Say != nil {
		said = h.Say(c)
	}
	for _, one := range said {
		if out, err = r.Run(ctx, one); err != nil {
			return out, err
		}
	}
	if h.Hear != nil {
		out = h.Hear(c, out)
	}
	return out, nil
}
