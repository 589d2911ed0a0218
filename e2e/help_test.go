package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// Every command's help ends with an example and its exit statuses.
func TestEveryHelp(t *testing.T) {
	t.Parallel()
	seen := 0
	var walk func(path []string)
	walk = func(path []string) {
		seen++
		out, err := exec.Command(binary, append(path, "--help")...).Output()
		if err != nil {
			t.Fatalf("%v: %v", path, err)
		}
		text := string(out)
		example, status := strings.Index(text, "\nEXAMPLE\n  cfgvault"), strings.Index(text, "\nEXIT STATUS\n  0 ")
		if example < 0 || status < example {
			t.Errorf("cfgvault %s --help does not end with EXAMPLE and EXIT STATUS", strings.Join(path, " "))
		}
		_, commands, ok := strings.Cut(text, " COMMAND\n")
		if !ok {
			return
		}
		commands, _, _ = strings.Cut(commands, "\nFlags:")
		for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+) +[A-Z]`).FindAllStringSubmatch(commands, -1) {
			walk(append(append([]string{}, path...), m[1]))
		}
	}
	walk(nil)
	if seen < 30 {
		t.Errorf("only %d commands were found", seen)
	}
}
