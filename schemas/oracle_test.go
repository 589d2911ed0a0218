package schemas_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// yanglint asks libyang's command what it thinks of modules, and of data if
// there is some. Debian's libyang2-tools has it; make deps installs it.
func yanglint(t testing.TB, modules map[string]string, implement []string, data string) (bool, string) {
	t.Helper()
	return yanglintWith(t, nil, modules, implement, data)
}

// yanglintWith is yanglint with options of its command, such as those that turn
// features off.
func yanglintWith(t testing.TB, options []string, modules map[string]string, implement []string, data string) (bool, string) {
	t.Helper()
	bin, err := exec.LookPath("yanglint")
	if err != nil {
		t.Fatal("yanglint is missing: apt-get install libyang2-tools")
	}
	dir := t.TempDir()
	args := append([]string{"-D", "-p", dir}, options...)
	if data != "" {
		args = append(args, "-e", "-t", "config")
	}
	for file, text := range modules {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range implement {
		args = append(args, filepath.Join(dir, m+".yang"))
	}
	if data != "" {
		file := filepath.Join(dir, "data.json")
		if strings.HasPrefix(data, "<") {
			file = filepath.Join(dir, "data.xml")
		}
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	out, err := exec.Command(bin, args...).CombinedOutput()
	return err == nil, string(out)
}
