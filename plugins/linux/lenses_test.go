package linux

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens/lenstest"
)

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	lenstest.Golden(t, *update, normalize, nil)
}

// kinds is one name of each kind of file.
func kinds() []string {
	return []string{"etc/systemd/network/a.network", "etc/systemd/network/a.netdev", "etc/systemd/network/a.link", "etc/network/interfaces",
		"etc/hostname", "etc/timezone", "etc/resolv.conf", "etc/sysctl.conf", "etc/ssh/sshd_config", "etc/nftables.conf", "etc/other"}
}

// corpus is all text of the golden files.
func corpus(t testing.TB) (text string) {
	t.Helper()
	for _, file := range []string{"testdata/normalize_networkd.txtar", "testdata/normalize_ifupdown.txtar"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(data).Files {
			text += string(f.Data)
		}
	}
	return text
}

func TestHostile(t *testing.T) {
	lenstest.Hostile(t, normalize, corpus(t), kinds()...)
}

// Every cut of every file is accounted for and gives a valid tree.
func FuzzNormalize(f *testing.F) {
	f.Add(corpus(f))
	for _, s := range []string{"[Match]\nName=a\n[Route]\nGateway=10.0.0.1\n", "iface a inet static\naddress 10.0.0.1\nnetmask 8\n", "a/b.c=1\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range kinds() {
			a := []plugins.Artefact{{Name: name, Data: []byte(text)}}
			n, err := normalize(plugins.Facts{}, a)
			if err != nil {
				t.Fatal(err)
			}
			lenstest.Account(t, a, n)
			if err := lenstest.Valid(n.Tree); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
