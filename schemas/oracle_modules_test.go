package schemas_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cfgvault/cfgvault/schemas"
)

// moduleDirs are the folders into which Debian's packages libyuma-base, frr and
// libyang2 install modules, each list searched
// together.
func moduleDirs() [][]string {
	const yuma = "/usr/share/yuma/modules/"
	return [][]string{
		{"/usr/share/yang", "/usr/share/yang/modules/libyang"},
		{"/usr/share/yang/modules/libyang", "/usr/share/yang"},
		{yuma + "ietf", yuma + "ietf-derived", yuma + "ietf-draft", yuma + "netconfcentral", yuma + "yuma123", yuma + "examples"},
		{"/usr/share/yuma/nmda-modules/ietf", yuma + "ietf", yuma + "ietf-derived", yuma + "yuma123"},
	}
}

// moduleDisagreements are the modules whose verdict is not yanglint's, with the
// section that decides.
func moduleDisagreements() map[string]string {
	return map[string]string{
		"yang": "RFC 6020 §9.12: a union of a YANG 1 module cannot have a member of type empty",
	}
}

// TestOracleModules compiles each module of moduleDirs by itself and compares
// the verdict with yanglint's.
func TestOracleModules(t *testing.T) {
	if _, err := exec.LookPath("yanglint"); err != nil {
		t.Fatal("yanglint is missing: apt-get install libyang2-tools")
	}
	why := moduleDisagreements()
	met := make(map[string]bool)
	total, agreed := 0, 0
	for _, dirs := range moduleDirs() {
		var search []schemas.Source
		args := []string{"-D"}
		for _, d := range dirs {
			src, err := schemas.FS(os.DirFS(d))
			if err != nil {
				t.Fatalf("%v: apt-get install frr libyang2 libyuma-base", err)
			}
			search = append(search, src)
			args = append(args, "-p", d)
		}
		files, err := filepath.Glob(dirs[0] + "/*.yang")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s holds no modules: %v", dirs[0], err)
		}
		if strings.Contains(dirs[0], "yuma/modules") {
			for _, d := range dirs[1:] {
				more, err := filepath.Glob(d + "/*.yang")
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, more...)
			}
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		slots := make(chan struct{}, 4)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, rev, err := schemas.ModuleName(text, file)
			if isSubmodule(text) {
				continue
			}
			wg.Add(1)
			slots <- struct{}{}
			go func() {
				defer func() { <-slots; wg.Done() }()
				out, lintErr := exec.Command("yanglint", append(slices.Clone(args), file)...).CombinedOutput()
				ours := err
				if ours == nil {
					want := name
					if rev != "" {
						want += "@" + rev
					}
					own := schemas.Files(map[string][]byte{file: text})
					_, ours = schemas.Load(schemas.Options{Search: append([]schemas.Source{own}, search...)}, want)
				}
				mu.Lock()
				defer mu.Unlock()
				total++
				if (ours == nil) == (lintErr == nil) {
					agreed++
					return
				}
				if why[name] != "" {
					met[name] = true
					return
				}
				t.Errorf("%s: yanglint accepts: %t; we: %.600v\n%.600s", file, lintErr == nil, ours, out)
			}()
		}
		wg.Wait()
	}
	for name := range why {
		if !met[name] {
			t.Errorf("%s: the disagreement is no more", name)
		}
	}
	t.Logf("%d modules, %d verdicts agree, %d disagreements explained", total, agreed, len(met))
}

// isSubmodule looks at the first word that is not in a comment.
func isSubmodule(text []byte) bool {
	s := string(text)
	for {
		s = strings.TrimLeft(s, " \t\r\n\ufeff")
		switch {
		case strings.HasPrefix(s, "//"):
			_, s, _ = strings.Cut(s, "\n")
		case strings.HasPrefix(s, "/*"):
			_, s, _ = strings.Cut(s, "*/")
		default:
			return strings.HasPrefix(s, "submodule")
		}
	}
}
