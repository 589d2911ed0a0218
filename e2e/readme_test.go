package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/simulate"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
)

// blocks returns the commands of every console block of a Markdown text.
func blocks(text string) []string {
	var commands []string
	in := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			in = line == "```console"
		case in && strings.HasPrefix(line, "$ "):
			commands = append(commands, strings.TrimPrefix(line, "$ "))
		}
	}
	return commands
}

// Every command of the README runs, in order, as a new user would type it. The
// documentation's addresses lead to simulated switches.
func TestReadme(t *testing.T) {
	t.Parallel()
	text := readFile(t, "../README.md")
	d, err := simulate.New("eos", device.Options{Config: simulate.Sample("eos"), User: "admin", Password: "switch-password"})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	addr, err := d.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	spare := newUnit(t, "eos", "SSJ00000002", true)
	dir := t.TempDir()
	env := append(os.Environ(), "HOME="+dir, "CFGVAULT_HOME=", "CORE_PASSWORD=switch-password", "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	ran := 0
	for _, c := range blocks(string(text)) {
		switch {
		case c == "make test":
			// This test is part of it.
			if out, err := exec.Command("make", "-C", "..", "-n", "test").CombinedOutput(); err != nil {
				t.Errorf("make test: %v\n%s", err, out)
			}
			ran++
			continue
		case c == "make demo":
			c = fmt.Sprintf("make -s -C %q demo DEMO=%q", mustAbs(t, ".."), filepath.Join(dir, "demo"))
		}
		if c == "cfgvault restore core1 --yes" {
			d.FactoryReset()
		}
		cmd := exec.Command("sh", "-c", strings.NewReplacer("192.0.2.10", addr.String(), "192.0.2.77", spare.l.Addr().String()).Replace(c))
		cmd.Dir, cmd.Env = dir, env
		if strings.HasPrefix(c, "make ") {
			cmd.Env = os.Environ() // with an empty HOME, Go would build everything anew
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("$ %s: %v\n%s", c, err, out)
		}
		ran++
	}
	if ran < 15 {
		t.Errorf("only %d commands were found", ran)
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// The README's table of platforms is what the drivers say of themselves.
func TestReadmePlatforms(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(binary, "--home", t.TempDir(), "plugin", "list", "--markdown").Output()
	if err != nil {
		t.Fatal(err)
	}
	readme := string(readFile(t, "../README.md"))
	if !strings.Contains(readme, strings.TrimSpace(string(out))) {
		t.Errorf("README.md does not hold the output of `cfgvault plugin list --markdown`:\n%s", out)
	}
	rows := 0
	for line := range strings.Lines(readme) {
		if cell := firstCell(line); cell != "" {
			rows++
			if n := strings.Count(readme, "\n| "+cell+" |"); n != 1 {
				t.Errorf("%d rows of tables in README.md begin with %s", n, cell)
			}
		}
	}
	if rows < 12 {
		t.Errorf("only %d rows were found", rows)
	}
}

// firstCell is what a row of a table begins with, "" for any other line and for
// the line below a heading.
func firstCell(line string) string {
	rest, ok := strings.CutPrefix(line, "| ")
	cell, _, more := strings.Cut(rest, " |")
	if !ok || !more || strings.Trim(cell, "-: |") == "" {
		return ""
	}
	return cell
}
