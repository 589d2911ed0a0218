package plugintest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cfgvault/cfgvault/plugins"
)

// Fixture is one recorded device: what it answers, and what a driver must make
// of it. It is a txtar file; its comment says where the answers come from. The
// sections:
//
//	-- expect --                 lines "key: value", see below
//	-- facts --                  JSON of plugins.Facts
//	-- run COMMAND --            what the command prints; again: the answer to the next time
//	-- stream SERVICE ARG --     what Session.Open(service, arg) gives to read
//	-- artefact NAME --          its bytes, where expect does not take them from a command
//	-- tree --                   JSON of the tree; absent: not compared
//	-- residual --               one line "COUNT CLASS ARTEFACT: SECTION" each; absent: not compared
//
// A word in brackets changes how a section is read: "run[exit=1] COMMAND" gives
// an exit status other than 0 on an exec channel, [stderr] is what is printed
// there (beside a plain section of the same command), [nonl] drops the newline
// that txtar puts at the end, [base64] decodes. [contains] answers every command
// that contains the given text and has no section of its own, for scripts too
// long to repeat. [framed] says that the answer carries its own proof of being
// whole, so that the driver must notice even a cut that nothing else shows.
// Several are separated by commas.
//
// Keys of expect, each but the first four any number of times:
//
//	verdict: complete            default complete
//	factory-default: true        default false
//	unknown: TEXT                what the device prints for a command that is not there
//	pager: TEXT                  what its pager prints; default " --More-- "
//	reason: CODE                 of Export.Reasons, in any order
//	no-restore: CODE             of Export.NoRestore
//	artefact: NAME ROLE          in the order of the export; see -- artefact NAME --
//	artefact: NAME ROLE = COMMAND  its bytes are what the command prints
//	canary: TEXT                 a secret that stands in the answers
//	option: NAME=VALUE           a driver option of the device
//	form: exec                   or shell; default what Info.Transports lists
type Fixture struct {
	Name    string
	Comment string

	Facts    plugins.Facts
	Options  map[string]string
	Forms    []string
	Unknown  string
	Pager    string
	Canaries []string
	answers  map[string][]answer // by command, or by the text that commands contain
	contains []string            // keys of answers that are texts, in order
	streams  map[string][]byte   // by "service arg"

	Artefacts      []plugins.Artefact // Name, Role and Data
	Verdict        plugins.Verdict
	Reasons        []string
	NoRestore      []string
	FactoryDefault bool
	Tree           []byte // nil: not compared
	Residual       []string
	hasResidual    bool
}

type answer struct {
	stdout, stderr []byte
	exit           int
	framed         bool
}

// find returns the answers to a command and the key under which they stand.
func (f *Fixture) find(command string) (key string, answers []answer) {
	if a, ok := f.answers[command]; ok {
		return command, a
	}
	for _, text := range f.contains {
		if strings.Contains(command, text) {
			return text, f.answers[text]
		}
	}
	return command, nil
}

// Load reads the fixtures that match a pattern, "testdata/export-*.txtar", in
// the order of their names. No match is an error.
func Load(fsys fs.FS, pattern string) ([]Fixture, error) {
	names, err := fs.Glob(fsys, pattern)
	if err != nil {
		return nil, fmt.Errorf("fixtures %s: %w", pattern, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("fixtures %s: %w", pattern, fs.ErrNotExist)
	}
	slices.Sort(names)
	var out []Fixture
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("fixture: %w", err)
		}
		f, err := Parse(path.Base(name), text)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// Parse reads one fixture.
func Parse(name string, text []byte) (Fixture, error) {
	f := Fixture{
		Name: name, Verdict: plugins.Complete, Unknown: "% Invalid input detected", Pager: " --More-- ",
		Options: map[string]string{}, answers: map[string][]answer{}, streams: map[string][]byte{},
	}
	fail := func(section string, format string, args ...any) (Fixture, error) {
		return Fixture{}, fmt.Errorf("fixture %s: section %q: %s", name, section, fmt.Sprintf(format, args...))
	}
	ar := txtar.Parse(text)
	f.Comment = string(ar.Comment)
	var (
		of        = map[string]string{} // artefact to command
		artefacts = map[string][]byte{}
		stderr    = map[string][]byte{}
		facts     bool
	)
	for _, file := range ar.Files {
		kind, arg, _ := strings.Cut(file.Name, " ")
		kind, flags, data, err := sectionFlags(kind, file.Data)
		if err != nil {
			return fail(file.Name, "%v", err)
		}
		switch {
		case kind == "expect" && arg == "":
			if err := f.expect(string(data), of); err != nil {
				return fail(file.Name, "%v", err)
			}
		case kind == "facts" && arg == "":
			dec := json.NewDecoder(strings.NewReader(string(data)))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&f.Facts); err != nil {
				return fail(file.Name, "%v", err)
			}
			facts = true
		case kind == "run" && arg != "" && flags.stderr:
			stderr[arg] = data
		case kind == "run" && arg != "":
			f.answers[arg] = append(f.answers[arg], answer{stdout: data, exit: flags.exit, framed: flags.framed})
			if flags.contains && !slices.Contains(f.contains, arg) {
				f.contains = append(f.contains, arg)
			}
		case kind == "stream" && arg != "":
			f.streams[arg] = data
		case kind == "artefact" && arg != "":
			artefacts[arg] = data
		case kind == "tree" && arg == "":
			f.Tree = data
		case kind == "residual" && arg == "":
			f.hasResidual = true
			for line := range strings.Lines(string(data)) {
				f.Residual = append(f.Residual, strings.TrimRight(line, "\n"))
			}
		default:
			return fail(file.Name, "not known: expect, facts, run COMMAND, stream SERVICE ARG, artefact NAME, tree, residual")
		}
	}
	for command, text := range stderr {
		if len(f.answers[command]) == 0 {
			f.answers[command] = []answer{{}}
		}
		f.answers[command][0].stderr = text
	}
	if !facts {
		return fail("facts", "missing")
	}
	for i, a := range f.Artefacts {
		data, there := artefacts[a.Name]
		command := of[a.Name]
		switch {
		case command != "" && there:
			return fail("artefact "+a.Name, "its bytes are given twice")
		case command != "" && len(f.answers[command]) == 0:
			return fail("expect", "artefact %s: no section \"run %s\"", a.Name, command)
		case command != "":
			data = f.answers[command][0].stdout
		case !there:
			return fail("artefact "+a.Name, "missing")
		}
		f.Artefacts[i].Data = data
		delete(artefacts, a.Name)
	}
	for left := range artefacts {
		return fail("artefact "+left, "expect does not list it")
	}
	return f, nil
}

type flags struct {
	exit                     int
	stderr, contains, framed bool
}

// sectionFlags splits "run[exit=1,nonl]" and applies what concerns the data.
func sectionFlags(kind string, data []byte) (string, flags, []byte, error) {
	var f flags
	name, list, ok := strings.Cut(kind, "[")
	if !ok {
		return kind, f, data, nil
	}
	list, ok = strings.CutSuffix(list, "]")
	if !ok {
		return "", f, nil, fmt.Errorf("an open bracket")
	}
	for _, word := range strings.Split(list, ",") {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "exit":
			f.exit, err = strconv.Atoi(value)
		case "stderr":
			f.stderr = true
		case "contains":
			f.contains = true
		case "framed":
			f.framed = true
		case "nonl":
			data = []byte(strings.TrimSuffix(string(data), "\n"))
		case "base64":
			data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), ""))
		default:
			err = fmt.Errorf("the word %q is not known", word)
		}
		if err != nil {
			return "", f, nil, err
		}
	}
	return name, f, data, nil
}

func (f *Fixture) expect(text string, of map[string]string) error {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		if !ok {
			return fmt.Errorf("%q is not \"key: value\"", line)
		}
		switch key {
		case "verdict":
			f.Verdict = plugins.Verdict(value)
			if !slices.Contains([]plugins.Verdict{plugins.Complete, plugins.Partial, plugins.Unknown}, f.Verdict) {
				return fmt.Errorf("no such verdict: %s", value)
			}
		case "factory-default":
			f.FactoryDefault = value == "true"
		case "unknown":
			f.Unknown = value
		case "pager":
			f.Pager = value
		case "reason":
			f.Reasons = append(f.Reasons, value)
		case "no-restore":
			f.NoRestore = append(f.NoRestore, value)
		case "canary":
			f.Canaries = append(f.Canaries, value)
		case "form":
			if value != "exec" && value != "shell" {
				return fmt.Errorf("form is exec or shell, not %s", value)
			}
			f.Forms = append(f.Forms, value)
		case "option":
			name, v, _ := strings.Cut(value, "=")
			f.Options[name] = v
		case "artefact":
			value, command, _ := strings.Cut(value, " = ")
			name, role, ok := strings.Cut(value, " ")
			if !ok {
				return fmt.Errorf("artefact: NAME ROLE, or NAME ROLE = COMMAND")
			}
			f.Artefacts = append(f.Artefacts, plugins.Artefact{Name: name, Role: plugins.Role(role)})
			of[name] = command
		default:
			return fmt.Errorf("the key %q is not known", key)
		}
	}
	return nil
}
