package inventory_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/agent/inventory"
)

func TestImportCSV(t *testing.T) {
	path := write(t, commented)
	inv := load(t, path)
	table := "name,driver,address,user,group,labels,password-env,legacy,jump\r\n" +
		"r1,frr,192.0.2.10:2201,ops,,\"site=n,rack=3\",PW,no,\r\n" +
		"\r\n" +
		"sw9,,\"[2001:db8::9]:22\",,access; north,,,yes,bastion\r\n" +
		",,,,,,,,\r\n"
	added, err := inv.ImportCSV(strings.NewReader(table), "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	if len(added) != 2 || added[0].Auth.Password.Env != "PW" || added[0].Labels["rack"] != "3" || added[1].Driver != "eos" || !added[1].Legacy || added[1].Groups[1] != "north" {
		t.Errorf("%+v", added)
	}
	if read(t, path) != commented {
		t.Error("the import wrote before Save: it is no dry run")
	}
	if err := inv.Save(); err != nil {
		t.Fatal(err)
	}
	again := load(t, path)
	for _, want := range added {
		if got, err := again.Device(want.Name); err != nil || !inventory.Equal(got, want) {
			t.Errorf("got %+v, want %+v, %v", got, want, err)
		}
	}
}

func TestImportCSVDialects(t *testing.T) {
	for name, table := range map[string]string{
		"comma":      "name,driver,address\nr1,frr,h1\n",
		"semicolon":  "name;driver;address\nr1;frr;h1\n",
		"tab":        "name\tdriver\taddress\nr1\tfrr\th1\n",
		"mark":       "\xef\xbb\xbfname,driver,address\nr1,frr,h1\n",
		"order":      "address,name,driver\nh1,r1,frr\n",
		"spelling":   "Name, Driver ,HOST\n r1 , frr , h1 \n",
		"no newline": "name,driver,address\nr1,frr,h1",
	} {
		t.Run(name, func(t *testing.T) {
			inv := load(t, write(t, ""))
			added, err := inv.ImportCSV(strings.NewReader(table), "t.csv")
			if err != nil || len(added) != 1 || added[0].Name != "r1" || added[0].Driver != "frr" || added[0].Address != "h1" {
				t.Errorf("%+v, %v", added, err)
			}
		})
	}
}

func TestImportCSVFaults(t *testing.T) {
	tests := []struct {
		name, table string
		want        []string
	}{
		{"empty", "", []string{"t.csv:1: the table is empty"}},
		{"UTF-16", "\xff\xfen\x00", []string{"t.csv:1: the table is in UTF-16"}},
		{"unknown column", "name,adress\n", []string{"t.csv:1: unknown column 2 \"adress\" (did you mean address?)"}},
		{"passwords", "name,address,password\nr1,h," + canary + "\n", []string{"t.csv:1: column \"password\": secrets are not imported", "password-env"}},
		{"column twice", "name,address,group,groups\n", []string{"column \"groups\" is there twice"}},
		{"no address", "name,driver\n", []string{"no column \"address\""}},
		{"too few cells", "name,driver,address\nr1,frr\n", []string{"t.csv:2", "every row has as many"}},
		{"a quote", "name,driver,address\nr1,frr,\"h\n", []string{"t.csv:"}},
		{"a bad address", "name,driver,address\nr1,frr,h\n\nr2,frr,a b\n", []string{"t.csv:4: device \"r2\": the address \"a b\" is not usable"}},
		{"a row over two lines", "name,driver,address,labels\nr1,frr,h,\"a=b\nc=d\"\nr2,frr,:,\n", []string{"t.csv:4: device \"r2\""}},
		{"no driver", "name,driver,address\nr1,,h\n", []string{"t.csv:2: device \"r1\": no driver"}},
		{"name twice", "name,driver,address\nr1,x,h\nR1,x,h\n", []string{"t.csv:3: device \"R1\" is already in line 2"}},
		{"name taken", "name,driver,address\ncore1,x,h\n", []string{"t.csv:2: device core1: already in the inventory"}},
		{"not a pair", "name,driver,address,labels\nr1,x,h,site\n", []string{"t.csv:2: device \"r1\":", "key=value"}},
		{"not a truth value", "name,driver,address,legacy\nr1,x,h,maybe\n", []string{"t.csv:2:", "yes or no"}},
		{"a jump host that is not there", "name,driver,address,jump\nr1,x,h,nowhere\n", []string{"t.csv:2: device \"r1\": unknown jump host"}},
		{"two places", "name,driver,address,password-env,password-file\nr1,x,h,A,b\n", []string{"t.csv:2:", "exactly one"}},
		{"all at once", "name,driver,address\nr 1,x,h\nr2,X,h\n", []string{"t.csv:2:", "t.csv:3:"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv := load(t, write(t, commented))
			_, err := inv.ImportCSV(strings.NewReader(tt.table), "t.csv")
			if !errors.Is(err, inventory.ErrConfig) {
				t.Fatalf("not an ErrConfig: %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got  %v\nwant %s", err, want)
				}
			}
			if strings.Contains(err.Error(), canary) {
				t.Error("the fault repeats a secret")
			}
			if n := len(inv.Devices()); n != 3 {
				t.Errorf("%d devices: an import that failed added some", n)
			}
		})
	}
}
