package nxos

import (
	"bytes"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/lens/lenstest"
)

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	lenstest.Golden(t, *update, normalize, render)
}

func TestLawsOnTruncatedText(t *testing.T) {
	lenstest.Truncated(t, configLens(), lenstest.Native(t, "normalize_leaf.txtar", "running-config"))
}

func TestLawsOnChangedText(t *testing.T) {
	lenstest.Changed(t, configLens(), lenstest.Native(t, "normalize_leaf.txtar", "running-config"))
}

func TestLawsOnChangedTrees(t *testing.T) {
	lenstest.ChangedTrees(t, configLens(), normalize, render, "running-config", lenstest.Native(t, "normalize_leaf.txtar", "running-config"))
}

func TestHostile(t *testing.T) {
	lenstest.Hostile(t, normalize, lenstest.Native(t, "normalize_leaf.txtar", "running-config"), "running-config", "startup-config", "inventory")
}

func FuzzNormalize(f *testing.F) {
	f.Add(lenstest.Native(f, "normalize_leaf.txtar", "running-config"))
	f.Add("username 0 sshkey 0\r00")
	f.Fuzz(func(t *testing.T, text string) {
		if err := configLens().CheckRead(text); err != nil {
			t.Error(err)
		}
		a := []plugins.Artefact{{Name: "running-config", Data: []byte(text)}}
		n, err := normalize(plugins.Facts{}, a)
		if err != nil {
			t.Fatal(err)
		}
		lenstest.Account(t, a, n)
		if err := lenstest.Valid(n.Tree); err != nil {
			t.Error(err)
		}
	})
}

func TestRenderSaysWhatItLoses(t *testing.T) {
	tree := `{"cfgvault-interfaces:interfaces":{"interface":[
		{"name":"Ethernet1/1","mtu":9000,"enabled":false,"ipv4":{"address":[{"ip":"10.0.0.1","prefix-length":24,"peer":"10.0.0.2"}]}},
		{"name":"eth0","description":"x"}]},
	 "cfgvault-system:system":{"hostname":"r1","kernel":{"parameter":[{"name":"a","value":"1"}]},
	  "snmp":{"community":[{"name":"Canary two words","access":"ro"}]}}}`
	out, losses, err := render([]byte(tree), plugins.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	want := "hostname r1\ninterface Ethernet1/1\n  shutdown\n  mtu 9000\n  ip address 10.0.0.1/24\n"
	if got := string(out[0].Data); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var got []string
	for _, l := range losses {
		got = append(got, l.Path)
	}
	wantPaths := []string{
		"/cfgvault-interfaces:interfaces/interface[name='Ethernet1/1']/ipv4/address[ip='10.0.0.1']/peer",
		"/cfgvault-interfaces:interfaces/interface[name='eth0']",
		"/cfgvault-system:system/kernel/parameter[1]",
		"/cfgvault-system:system/snmp/community[name='•••']",
	}
	if strings.Join(got, "\n") != strings.Join(wantPaths, "\n") {
		t.Errorf("losses %q", got)
	}
	if err := configLens().CheckWrite([]byte(tree)); err != nil {
		t.Error(err)
	}
}

func TestSecretsNeverInTheAccount(t *testing.T) {
	lenstest.NoCanary(t, normalize, "running-config", "key chain X\n key 1\n  key-string Canary1\nCanary2\n below\nCanary3 password Canary4\n x\nrouter bgp 1\n neighbor 1.2.3.4 password Canary5\n")
}

// large makes about n bytes of configuration.
func large(n int) []byte {
	var b bytes.Buffer
	for i := 1; b.Len() < n; i++ {
		fmt.Fprintf(&b, "interface Ethernet1/%d\n  description port %d to somewhere\n  switchport trunk allowed vlan 1-%d,4000\n  switchport mode trunk\n  unknown statement %d\n\n", i, i, i%3000+2, i)
		fmt.Fprintf(&b, "ip route 172.%d.%d.0/24 10.0.0.1 %d\n", i/256%256, i%256, i%255+1)
		fmt.Fprintf(&b, "ip prefix-list L%d seq 5 permit 10.%d.%d.0/24 le 32\n", i, i/256%256, i%256)
	}
	return b.Bytes()
}

func BenchmarkNormalizeMiB(b *testing.B) {
	a := []plugins.Artefact{{Name: "running-config", Data: large(1 << 20)}}
	b.SetBytes(1 << 20)
	for b.Loop() {
		if _, err := normalize(plugins.Facts{}, a); err != nil {
			b.Fatal(err)
		}
	}
}
