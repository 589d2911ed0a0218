package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/cfgvault/cfgvault/"

// layers says which packages of ours a package may import, each row with its
// reason. The longest matching row counts; a row that ends in "/..." matches
// everything below.
var layers = []struct {
	pkg, reason string
	may         []string
}{
	{"vault/...", "the vault knows bytes, not devices", []string{"vault/..."}},
	{"vault", "the vault knows bytes, not devices, and no store in particular", []string{"vault/internal/durable"}},
	{"vault/dir", "a store knows only the vault's contract, and how a file gets durable", []string{"vault", "vault/internal/durable"}},
	{"vault/s3", "a store knows only the vault's contract", []string{"vault"}},
	{"vault/mem", "a store knows only the vault's contract", []string{"vault"}},
	{"schemas/...", "schemas know YANG, not vendors", []string{"schemas/..."}},
	{"plugins", "what a vendor depends on has no dependencies", nil},
	{"plugins/syntax", "parsers know text", nil},
	{"plugins/lens", "lenses know text and trees, not devices", []string{"plugins", "plugins/syntax"}},
	{"plugins/lens/lenstest", "laws of lenses, and what a valid tree is", []string{"plugins", "plugins/lens", "plugins/syntax", "schemas"}},
	{"plugins/cisco", "what three command lines share; no driver", []string{"plugins", "plugins/syntax", "plugins/lens"}},
	{"plugins/eos", "a driver knows its platform, and what its family shares", []string{"plugins", "plugins/syntax", "plugins/lens", "plugins/cisco"}},
	{"plugins/frr", "a driver whose command line is modelled on IOS", []string{"plugins", "plugins/syntax", "plugins/lens", "plugins/deadman", "plugins/netdev", "plugins/cisco"}},
	{"plugins/ios", "a driver knows its platform, and what its family shares", []string{"plugins", "plugins/syntax", "plugins/lens", "plugins/cisco"}},
	{"plugins/iosxr", "a driver knows its platform, and what its family shares", []string{"plugins", "plugins/syntax", "plugins/lens", "plugins/cisco"}},
	{"plugins/nxos", "a driver knows its platform, and what its family shares", []string{"plugins", "plugins/syntax", "plugins/lens", "plugins/cisco"}},
	{"plugins/deadman", "a helper for drivers", []string{"plugins"}},
	{"plugins/netdev", "a helper for drivers", []string{"plugins"}},
	{"plugins/internal/wire", "the wire carries the contract", []string{"plugins"}},
	{"plugins/serve", "the vendor's side of the wire", []string{"plugins", "plugins/internal/wire"}},
	{"plugins/host", "the agent's side of the wire", []string{"plugins", "plugins/internal/wire"}},
	{"plugins/simulate", "the explicit list of simulated devices", []string{"plugins/simulate/..."}},
	{"plugins/simulate/device", "the engine knows no platform", []string{"plugins"}},
	{"plugins/simulate/dialogue", "a helper for tests of simulated devices", []string{"plugins", "plugins/simulate/device"}},
	{"plugins/simulate/habit", "a helper for tests of drivers", []string{"plugins"}},
	{"plugins/simulate/statements", "what some command lines share; no device", nil},
	{"plugins/simulate/...", "a simulated device must not know the driver it tests", []string{"plugins", "plugins/simulate/device", "plugins/simulate/statements", "plugins/simulate/unix"}},
	{"plugins/plugintest", "the kit knows the contract and what a valid tree is", []string{"plugins", "schemas", "schemas/xpath", "schemas/yang"}},
	{"plugins/builtin", "the explicit list of drivers", []string{"plugins/..."}},
	{"plugins/sonic", "the same, and what is inside of SONiC", []string{"plugins", "plugins/syntax", "plugins/lens", "plugins/deadman", "plugins/netdev", "plugins/frr"}},
	{"plugins/...", "a driver knows its platform: no store, no credential, no transport", []string{"plugins", "plugins/syntax", "plugins/lens", "plugins/deadman", "plugins/netdev"}},
	{"agent/secret", "values that must not be seen", nil},
	{"agent/journal", "the journal knows steps, not devices", nil},
	{"agent/session", "a session knows the contract and secrets", []string{"plugins", "agent/secret"}},
	{"agent/inventory", "the inventory knows names and references", []string{"plugins", "agent/secret"}},
	{"agent", "the only package that knows all the others; drivers only through plugins/host",
		[]string{"plugins", "plugins/host", "plugins/internal/wire", "vault/...", "schemas/...", "agent/secret", "agent/journal", "agent/session", "agent/inventory"}},
	{"agent/cli", "one file per command", []string{"agent/...", "vault/...", "schemas/...", "plugins/..."}},
	{"agent/cmd/...", "main: five lines", []string{"agent/...", "vault/...", "schemas/...", "plugins/..."}},
	{"e2e/...", "tests and the lab", []string{"e2e/...", "agent/...", "vault/...", "schemas/...", "plugins/..."}},
}

func matches(pattern, pkg string) bool {
	if dir, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == dir || strings.HasPrefix(pkg, dir+"/")
	}
	return pattern == pkg
}

// Imports point one way (design §3). Only direct imports of non-test code
// count; what they import in turn is held by their own row.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module)
		best := -1
		for i, row := range layers {
			if matches(row.pkg, pkg) && (best < 0 || row.pkg == pkg || len(row.pkg) > len(layers[best].pkg)) {
				best = i
				if row.pkg == pkg {
					break
				}
			}
		}
		if best < 0 {
			t.Errorf("%s has no row in the table of imports", pkg)
			continue
		}
		for _, imp := range fields[1:] {
			ours, ok := strings.CutPrefix(imp, module)
			if !ok {
				continue
			}
			checked++
			allowed := false
			for _, may := range layers[best].may {
				allowed = allowed || matches(may, ours)
			}
			if !allowed {
				t.Errorf("%s imports %s: %s", pkg, ours, layers[best].reason)
			}
		}
	}
	if checked == 0 {
		t.Error("no import was checked")
	}
}

// The top level holds the given folders and files and nothing else.
func TestTopLevel(t *testing.T) {
	out, err := exec.Command("git", "-C", "..", "ls-files").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"agent": true, "vault": true, "plugins": true, "schemas": true, "e2e": true,
		"go.mod": true, "go.sum": true, "Makefile": true, "README.md": true}
	for line := range strings.Lines(string(out)) {
		top, _, _ := strings.Cut(strings.TrimSpace(line), "/")
		if !known[top] && !strings.HasPrefix(top, ".") {
			t.Errorf("%s does not belong at the top level", top)
			known[top] = true
		}
	}
}
