package plugintest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cfgvault/cfgvault/plugins"
)

// Record identifies, exports and normalises one device over a live session and
// writes what it answered, and what the driver made of it, as a fixture. In a
// [Disguise] the fakes of secrets become the fixture's canaries; in any other
// session the text holds the device's secrets as they are. unknown is what the
// device prints for a command that is not there.
func Record(ctx context.Context, driver plugins.Driver, s plugins.Session, comment, unknown string) ([]byte, error) {
	rec := &recorder{Session: s}
	facts, err := driver.Identify(ctx, rec)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	e, err := driver.Export(ctx, rec)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	disguise, _ := s.(*Disguise)
	for i := range e.Artefacts {
		if disguise != nil {
			e.Artefacts[i].Data = disguise.bytes(e.Artefacts[i].Data)
		}
	}
	n, err := driver.Normalize(ctx, facts, e.Artefacts)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	ar := &txtar.Archive{Comment: []byte(strings.TrimRight(comment, "\n") + "\n")}
	add := func(name string, data []byte) {
		name, data = section(name, data)
		ar.Files = append(ar.Files, txtar.File{Name: name, Data: data})
	}
	expect := rec.expect(e, s.Options(), unknown)
	if disguise != nil {
		for _, c := range disguise.canaries() {
			expect = append(expect, "canary: "+c+"\n"...)
		}
	}
	add("expect", expect)
	raw, err := json.MarshalIndent(facts, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	add("facts", append(raw, '\n'))
	for _, a := range rec.answers {
		if a.stream {
			data := a.conn.bytes()
			if disguise != nil {
				data = disguise.bytes(data)
			}
			add("stream "+a.text, data)
			continue
		}
		kind := "run"
		if a.out.Exit != nil && *a.out.Exit != 0 {
			kind = fmt.Sprintf("run[exit=%d]", *a.out.Exit)
		}
		add(kind+" "+a.text, a.out.Stdout)
		if len(a.out.Stderr) > 0 {
			add("run[stderr] "+a.text, a.out.Stderr)
		}
	}
	for _, x := range e.Artefacts {
		if rec.source(x) == "" {
			add("artefact "+x.Name, x.Data)
		}
	}
	tree, err := canonical(n.Tree)
	if err != nil {
		return nil, fmt.Errorf("record: the tree: %w", err)
	}
	add("tree", append(tree, '\n'))
	var residual bytes.Buffer
	for _, line := range Summary(n.Residual) {
		residual.WriteString(line + "\n")
	}
	add("residual", residual.Bytes())
	if disguise != nil {
		for i := range ar.Files {
			ar.Files[i].Data = disguise.finish(ar.Files[i].Data)
		}
	}
	return txtar.Format(ar), nil
}

// section chooses the words in brackets that keep data as it is.
func section(name string, data []byte) (string, []byte) {
	kind, arg, more := strings.Cut(name, " ")
	word := func(w string) {
		if rest, ok := strings.CutSuffix(kind, "]"); ok {
			kind = rest + "," + w + "]"
		} else {
			kind += "[" + w + "]"
		}
	}
	switch {
	case !utf8.Valid(data), bytes.ContainsAny(data, "\x00\r"), bytes.HasPrefix(data, []byte("-- ")), bytes.Contains(data, []byte("\n-- ")):
		word("base64")
		text := base64.StdEncoding.EncodeToString(data)
		data = nil
		for chunk := range slices.Chunk([]byte(text), 100) {
			data = append(append(data, chunk...), '\n')
		}
	case len(data) > 0 && !bytes.HasSuffix(data, []byte("\n")):
		word("nonl")
		data = append(bytes.Clone(data), '\n')
	}
	if more {
		kind += " " + arg
	}
	return kind, data
}

// recorder passes everything on and keeps the answers, in order.
type recorder struct {
	plugins.Session
	mu      sync.Mutex
	answers []*recorded
}

type recorded struct {
	stream bool
	text   string
	out    plugins.Output
	conn   *recordedConn
}

func (r *recorder) keep(a *recorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, old := range r.answers {
		if old.stream == a.stream && old.text == a.text && (a.stream || bytes.Equal(old.out.Stdout, a.out.Stdout)) {
			return
		}
	}
	r.answers = append(r.answers, a)
}

// source is the command whose output an artefact is, or "".
func (r *recorder) source(x plugins.Artefact) string {
	for _, a := range r.answers {
		if !a.stream && bytes.Equal(a.out.Stdout, x.Data) && len(x.Data) > 0 {
			return a.text
		}
	}
	return ""
}

func (r *recorder) expect(e *plugins.Export, options map[string]string, unknown string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "verdict: %s\n", e.Verdict)
	if e.FactoryDefault {
		b.WriteString("factory-default: true\n")
	}
	fmt.Fprintf(&b, "unknown: %s\n", unknown)
	for _, c := range slices.Compact(codes(e.Reasons)) {
		fmt.Fprintf(&b, "reason: %s\n", c)
	}
	for _, c := range slices.Compact(codes(e.NoRestore)) {
		fmt.Fprintf(&b, "no-restore: %s\n", c)
	}
	for name, value := range options {
		fmt.Fprintf(&b, "option: %s=%s\n", name, value)
	}
	for _, x := range e.Artefacts {
		fmt.Fprintf(&b, "artefact: %s %s", x.Name, x.Role)
		if from := r.source(x); from != "" {
			fmt.Fprintf(&b, " = %s", from)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Run implements plugins.Session.
func (r *recorder) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	out, err := r.Session.Run(ctx, c)
	if err == nil {
		r.keep(&recorded{text: c.Text, out: out})
	}
	return out, err
}

// CLI implements plugins.Session.
func (r *recorder) CLI(ctx context.Context) (plugins.CLI, error) {
	cli, err := r.Session.CLI(ctx)
	if err != nil {
		return nil, err
	}
	return &recorderCLI{CLI: cli, r: r}, nil
}

type recorderCLI struct {
	plugins.CLI
	r *recorder
}

func (c *recorderCLI) Run(ctx context.Context, cmd plugins.Command) (plugins.Output, error) {
	out, err := c.CLI.Run(ctx, cmd)
	if err == nil {
		c.r.keep(&recorded{text: cmd.Text, out: out})
	}
	return out, err
}

// Open implements plugins.Session.
func (r *recorder) Open(ctx context.Context, service, arg string) (net.Conn, error) {
	conn, err := r.Session.Open(ctx, service, arg)
	if err != nil {
		return nil, err
	}
	text := service
	if arg != "" {
		text += " " + arg
	}
	c := &recordedConn{Conn: conn}
	r.keep(&recorded{stream: true, text: text, conn: c})
	return c, nil
}

type recordedConn struct {
	net.Conn
	mu   sync.Mutex
	read bytes.Buffer
}

func (c *recordedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.read.Write(p[:n])
	c.mu.Unlock()
	return n, err
}

func (c *recordedConn) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.read.Bytes())
}
