package schemas_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// rule is a rule of an RFC with what it accepts and refuses. The files of
// testdata/rfc7950 hold one line for each case:
//
//	== 7.8.2 what the section says
//	ok BODY              the body of a module, of YANG 1.1
//	bad BODY => TEXT     one that is refused, with TEXT in the message
//	ok1, bad1            the same in YANG 1
//	in BODY              the module of the data that follows
//	yes DATA             configuration that is valid, in JSON or XML
//	no DATA => TEXT      configuration that is not
//	why REASON           why yanglint decides the next case otherwise
type rule struct {
	name  string
	cases []ruleCase
}

type ruleCase struct {
	line   int
	module string
	data   string // "" if the module is what is judged
	good   bool
	want   string
	why    string
}

func readRules(t *testing.T, file string) []rule {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rules []rule
	escapes := regexp.MustCompile(`<U\+[0-9A-F]+>`) // characters that are better not in a file
	module, why := "", ""
	n := 0
	for l := range strings.Lines(string(text)) {
		n++
		l = escapes.ReplaceAllStringFunc(strings.TrimRight(l, "\n"), func(e string) string {
			r, err := strconv.ParseUint(e[3:len(e)-1], 16, 32)
			if err != nil {
				t.Fatalf("%s:%d: %v", file, n, err)
			}
			return string(rune(r))
		})
		word, rest, _ := strings.Cut(l, " ")
		if l == "" || word == "#" {
			continue
		}
		if word == "==" {
			rules = append(rules, rule{name: rest})
			module, why = "", ""
			continue
		}
		body, want, _ := strings.Cut(rest, " => ")
		c := ruleCase{line: n, want: want, why: why, good: word == "ok" || word == "ok1" || word == "yes"}
		switch word {
		case "ok", "bad":
			c.module = wrap(body)
		case "ok1", "bad1":
			c.module = strings.Replace(wrap(body), "yang-version 1.1; ", "", 1)
		case "in":
			module = wrap(body)
			continue
		case "yes", "no":
			c.module, c.data = module, body
		case "why":
			why = rest
			continue
		default:
			t.Fatalf("%s:%d: %q is no case", file, n, word)
		}
		why = ""
		rules[len(rules)-1].cases = append(rules[len(rules)-1].cases, c)
	}
	return rules
}

// TestRFC7950 goes through the rules of RFC 7950 that concern modules and
// configuration, section by section. Each verdict is compared with yanglint's.
func TestRFC7950(t *testing.T) {
	files, err := filepath.Glob("testdata/rfc7950/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, file := range files {
		for _, r := range readRules(t, file) {
			t.Run(strings.ReplaceAll(r.name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				goods := 0
				for _, c := range r.cases {
					if c.good {
						goods++
					}
					c.run(t, fmt.Sprintf("%s:%d", filepath.Base(file), c.line))
				}
				if goods == 0 || goods == len(r.cases) {
					t.Errorf("%s has %d cases, %d of them accepted: both kinds are needed", file, len(r.cases), goods)
				}
			})
		}
	}
}

func (c ruleCase) run(t *testing.T, at string) {
	t.Helper()
	modules := map[string]string{"m.yang": c.module}
	set, err := load(modules, "m")
	if c.data != "" {
		if err != nil {
			t.Errorf("%s: the module is refused: %v", at, err)
			return
		}
		err = check(set, c.data)
	}
	shown := strings.TrimSpace(c.module)
	if c.data != "" {
		shown = c.data
	}
	switch {
	case c.good && err != nil:
		t.Errorf("%s: refused: %v\n%s", at, err, shown)
	case !c.good && err == nil:
		t.Errorf("%s: accepted: %s", at, shown)
	case !c.good && !strings.Contains(err.Error(), c.want):
		t.Errorf("%s: got %v, want %q in it", at, err, c.want)
	case !c.good && c.data == "":
		var fault *schemas.ModuleError
		if !errors.As(err, &fault) || fault.File == "" || fault.Line == 0 || fault.Rule == "" {
			t.Errorf("%s: no place or rule: %v", at, err)
		}
	case !c.good:
		var fault *schemas.PathError
		if !errors.As(err, &fault) || fault.Path == "" || fault.Rule == "" {
			t.Errorf("%s: no place or rule: %v", at, err)
		}
	}
	if ok, out := yanglint(t, modules, []string{"m"}, c.data); ok != c.good && c.why == "" {
		t.Errorf("%s: yanglint accepts: %t: %s\n%s", at, ok, shown, out)
	} else if ok == c.good && c.why != "" {
		t.Errorf("%s: yanglint agrees, although %q", at, c.why)
	}
}
