package e2e

import (
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/vyos"
)

// A router is brought to a release that writes a statement in another place. Its
// own migration scripts did that at boot; one statement was lost. It comes back
// by the same scripts, from the old file as it was.
func TestUpgradeByMigrator(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	const ntp = "    ntp {\n        server time1.example.net {\n        }\n    }\n"
	before := strings.Replace(vyos.Sample, ntp, "", 1)
	before = strings.Replace(before, "system {\n", "system {\n"+ntp, 1)
	before = strings.NewReplacer("ntp@3:", "ntp@1:", "version: 1.4.3", "version: 1.3.8").Replace(before)
	if !strings.Contains(before, "system {\n"+ntp) || !strings.Contains(before, "ntp@1:") {
		t.Fatalf("no configuration of the old release:\n%s", before)
	}
	b := startUnit(t, "vyos", device.Options{Config: before, Serial: "VY00000009", Version: "1.3.8"}, false)
	h.addUnit(b, "edge1")
	h.must("upgrade", "edge1", "begin", "--yes")

	vyos.Upgrade(b.Device, "1.4.3")
	whole := settings(b.Running())
	typeAt(t, b.Device, "configure", "delete interfaces ethernet eth0 description", "commit", "save", "exit")
	if strings.Contains(whole, "system {\n"+ntp) || settings(b.Running()) == whole {
		t.Fatal("it was not upgraded, or lost nothing")
	}
	r := h.must("upgrade", "edge1", "finish", "--yes", "--rollback-plan")
	for _, want := range []string{"release  1.4.3, was 1.3.8", "renamed ", "vanished ", "- description", "bring edge1 back to"} {
		if !strings.Contains(strings.ReplaceAll(r.out, "        description", "description"), want) {
			t.Errorf("the report lacks %q:\n%s", want, r.out)
		}
	}
	r = h.must("upgrade", "edge1", "finish", "--yes", "--restore")
	if !strings.Contains(r.err, "own migrator") {
		t.Errorf("the old file was not given to the migrator:\n%s", r.err)
	}
	if got := settings(b.Running()); got != whole {
		t.Errorf("it runs\n%s\nwant\n%s", got, whole)
	}
	if got := settings(b.Startup()); got != whole {
		t.Errorf("it would start with\n%s\nwant\n%s", got, whole)
	}
	h.must("backup", "edge1")
}
