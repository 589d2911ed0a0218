package vault

import (
	"archive/tar"
	"bytes"
	"errors"
	"testing"
	"time"
)

// FuzzRecord: a record that parses has one spelling.
func FuzzRecord(f *testing.F) {
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	sum := hashHex([]byte("x"))
	e := Entry{Device: "dev", Object: snapshotKey("dev", at, sum), SHA256: sum, Size: 7, Kind: Routine, Verdict: Complete, Held: []Code{"other-serial", "shrunk"}}
	r := &record{vault: "v", key: "0123456789abcdef", epoch: "0123456789abcdef", seq: 1, previous: unknownPrevious, kind: recordRun, time: at, due: at,
		devices: 1, root: rootHash([]Entry{e}), changes: []Entry{e}, failures: []deviceCode{{"dev-b", "unreachable"}}, except: true, seen: []string{"dev-c"}, hasFull: true, full: []Entry{e}}
	f.Add(r.text())
	r.except, r.hasFull, r.full, r.due = false, false, nil, time.Time{}
	f.Add(r.text())
	f.Add("cfgvault record\nversion 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRecord(text)
		if err != nil {
			return
		}
		if again := r.text(); again != text {
			t.Errorf("two spellings:\n%q\n%q", text, again)
		}
	})
}

// FuzzTrust: a trust that parses has one spelling.
func FuzzTrust(f *testing.F) {
	k, err := newSigningKey(roleAgent)
	if err != nil {
		f.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	t := &trust{vault: "v", n: 1, previous: "none", time: at, recipients: []string{"age1x"}, keys: []trustedKey{{verifyKey: k.verifyKey, scope: []string{"a", "b"},
		ended: at, believed: []chainHead{{k.id, "0123456789abcdef", 3, hashHex(nil)}}}}}
	f.Add(t.text())
	f.Fuzz(func(t *testing.T, text string) {
		if tr, err := parseTrust(text); err == nil && tr.text() != text {
			t.Errorf("two spellings:\n%q\n%q", text, tr.text())
		}
	})
}

// FuzzManifest: a manifest that parses packs every file under the one name that
// follows from its kind and name.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"device":"d","time":"","kind":"routine","verdict":"complete","recipients":[],"files":[{"name":"a/b","kind":"native","as":"native.a%2Fb","size":1,"sha256":""}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := parseManifest(body)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, file := range m.Files {
			name := file.member.Name
			if seen[name] || name != memberName(file.Kind, file.Name) || len(name) > maxName {
				t.Errorf("file %q is packed as %q", file.Name, name)
			}
			seen[name] = true
		}
	})
}

// FuzzArchive: an archive that reads holds exactly what its manifest names.
func FuzzArchive(f *testing.F) {
	data := []byte("hostname a\n")
	m := newMember("native.f", data)
	good, err := writeArchive([]byte("manifest"), []member{m}, time.Unix(0, 0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	var link bytes.Buffer
	w := tar.NewWriter(&link)
	if err := errors.Join(addFile(w, manifestName, []byte("manifest")), w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "native.f", Linkname: "x"}), w.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(link.Bytes())
	f.Fuzz(func(t *testing.T, archive []byte) {
		got, err := readArchive(bytes.NewReader(archive), func(manifest []byte) ([]member, error) {
			return []member{{Name: m.Name, Size: m.Size, SHA256: m.SHA256}}, nil
		})
		if err == nil && (len(got) != 1 || !bytes.Equal(got[0].data, data)) {
			t.Errorf("read %+v", got)
		}
	})
}

// FuzzCache: a cache is the one that was written, or none.
func FuzzCache(f *testing.F) {
	c := newCache("t")
	f.Add(c.marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := parseCache(data, "t"); err == nil && c == nil {
			t.Error("neither cache nor error")
		}
	})
}

// FuzzState: state that parses is written the same again.
func FuzzState(f *testing.F) {
	f.Add("sha256 " + hashHex(nil) + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		if devices, err := parseState(text); err == nil {
			for id, d := range devices {
				if id != d.Entry.Device {
					t.Errorf("%s holds %s", id, d.Entry.Device)
				}
			}
		}
	})
}

// FuzzIdentities: an error never quotes the file.
func FuzzIdentities(f *testing.F) {
	_, text, err := newIdentity(true, "x")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(text))
	f.Add([]byte("AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"))
	f.Add([]byte("AGE-PLUGIN-YUBIKEY-1XXXXXXXXXXXXXXXXXXXXXX"))
	f.Fuzz(func(t *testing.T, file []byte) {
		_, err := ParseIdentities(file, nil)
		if err == nil {
			return
		}
		for line := range bytes.Lines(file) {
			line = bytes.TrimSpace(line)
			if len(line) > 20 && bytes.HasPrefix(line, []byte("AGE-")) && bytes.Contains([]byte(err.Error()), line[10:]) {
				t.Errorf("the error quotes the file: %v", err)
			}
		}
	})
}
