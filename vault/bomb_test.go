package vault

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// forge is a sealed object made by someone who can encrypt, with an entry that
// names it, and perhaps with the agent's key.
type forge struct {
	t         *testing.T
	agent     *signingKey
	id        *age.X25519Identity
	recipient []age.Recipient
}

const forgedVault = "0123456789abcdef"

func newForge(t *testing.T) *forge {
	t.Helper()
	agent, err := newSigningKey(roleAgent)
	if err != nil {
		t.Fatal(err)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return &forge{t, agent, id, []age.Recipient{id.Recipient()}}
}

// seal compresses what write writes and encrypts it.
func (f *forge) seal(write func(w io.Writer) error) ([]byte, Entry) {
	f.t.Helper()
	var sealed bytes.Buffer
	enc, err := age.Encrypt(&sealed, f.recipient...)
	if err != nil {
		f.t.Fatal(err)
	}
	z, err := zstd.NewWriter(enc, zstd.WithWindowSize(zstdWindow))
	if err != nil {
		f.t.Fatal(err)
	}
	if err := write(z); err != nil {
		f.t.Fatal(err)
	}
	if err := errors.Join(z.Close(), enc.Close()); err != nil {
		f.t.Fatal(err)
	}
	sum := hashHex(sealed.Bytes())
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	return sealed.Bytes(), Entry{Device: "dev", Object: snapshotKey("dev", at, sum), SHA256: sum, Size: int64(sealed.Len()),
		Time: at, Kind: Routine, Verdict: Complete, Key: f.agent.id}
}

func (f *forge) manifest(key *signingKey, files ...manifestFile) []byte {
	f.t.Helper()
	m := manifest{Device: "dev", Time: "2026-11-23T02:00:00.000Z", Kind: Routine, Verdict: Complete, Recipients: []string{}, Files: files}
	if files == nil {
		m.Files = []manifestFile{}
	}
	data, err := signManifest(kindSnapshot, forgedVault, key, m)
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

func addFile(w *tar.Writer, name string, data []byte) error {
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

// zeros writes n zero bytes.
func zeros(w io.Writer, n int64) error {
	_, err := io.CopyN(w, zeroReader{}, n)
	return err
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func nativeFile(name string, size int64, sum string) manifestFile {
	return manifestFile{Name: name, Kind: Native, member: member{Name: memberName(Native, name), Size: size, SHA256: sum}}
}

// TestBombs: whatever is sealed, no more than the format allows is unpacked, and
// what no agent signed is not unpacked at all.
func TestBombs(t *testing.T) {
	f := newForge(t)
	stranger, err := newSigningKey(roleAgent)
	if err != nil {
		t.Fatal(err)
	}
	const huge, written = 2 << 30, 128 << 20
	tests := []struct {
		name  string
		write func(w io.Writer) error
		most  uint64 // bytes that may be allocated
	}{
		{"2 GiB of zeros", func(w io.Writer) error { return zeros(w, huge) }, 64 << 20},
		{"2 GiB behind a stranger's manifest", func(w io.Writer) error {
			tw := tar.NewWriter(w)
			if err := addFile(tw, manifestName, f.manifest(stranger, nativeFile("f", huge, hashHex(nil)))); err != nil {
				return err
			}
			if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "native.f", Size: huge}); err != nil {
				return err
			}
			return zeros(tw, written)
		}, 64 << 20},
		{"2 GiB that the agent signed", func(w io.Writer) error {
			tw := tar.NewWriter(w)
			if err := addFile(tw, manifestName, f.manifest(f.agent, nativeFile("f", huge, hashHex(nil)))); err != nil {
				return err
			}
			if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "native.f", Size: huge}); err != nil {
				return err
			}
			return zeros(tw, written)
		}, 64 << 20},
		{"128 MiB behind the end", func(w io.Writer) error {
			tw := tar.NewWriter(w)
			if err := errors.Join(addFile(tw, manifestName, f.manifest(f.agent)), tw.Close()); err != nil {
				return err
			}
			return zeros(w, written)
		}, 64 << 20},
		{"a huge manifest", func(w io.Writer) error {
			tw := tar.NewWriter(w)
			if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: manifestName, Size: huge}); err != nil {
				return err
			}
			return zeros(tw, written)
		}, 64 << 20},
		{"more files than allowed", func(w io.Writer) error {
			tw := tar.NewWriter(w)
			var files []manifestFile
			for i := range maxFiles + 1 {
				files = append(files, nativeFile(fmt.Sprint(i), 0, hashHex(nil)))
			}
			return addFile(tw, manifestName, f.manifest(f.agent, files...))
		}, 64 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sealed, e := f.seal(tt.write)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := unseal(sealed, forgedVault, e, &f.agent.verifyKey, []age.Identity{f.id})
			runtime.ReadMemStats(&after)
			if !errors.Is(err, ErrIntegrity) || !strings.Contains(err.Error(), e.Object) {
				t.Errorf("got %v, want ErrIntegrity naming the object", err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > tt.most {
				t.Errorf("%d bytes were allocated", got)
			}
		})
	}
}

// TestStrangeArchives: whatever is no flat list of the manifest's regular files
// is refused, though the agent's key signed the manifest.
func TestStrangeArchives(t *testing.T) {
	f := newForge(t)
	data := []byte("hostname a\n")
	file := nativeFile("f", int64(len(data)), hashHex(data))
	good := func(tw *tar.Writer) error { return addFile(tw, manifestName, f.manifest(f.agent, file)) }
	header := func(h tar.Header) func(tw *tar.Writer) error {
		return func(tw *tar.Writer) error {
			if err := good(tw); err != nil {
				return err
			}
			if err := tw.WriteHeader(&h); err != nil {
				return err
			}
			if h.Size > 0 {
				_, err := tw.Write(data)
				return err
			}
			return nil
		}
	}
	n := int64(len(data))
	tests := map[string]func(tw *tar.Writer) error{
		"empty":         func(*tar.Writer) error { return nil },
		"no file":       good,
		"other first":   func(tw *tar.Writer) error { return addFile(tw, "native.f", data) },
		"symbolic link": header(tar.Header{Typeflag: tar.TypeSymlink, Name: "native.f", Linkname: "/etc/passwd"}),
		"hard link":     header(tar.Header{Typeflag: tar.TypeLink, Name: "native.f", Linkname: "manifest"}),
		"folder":        header(tar.Header{Typeflag: tar.TypeDir, Name: "native.f/"}),
		"device":        header(tar.Header{Typeflag: tar.TypeChar, Name: "native.f"}),
		"up":            header(tar.Header{Typeflag: tar.TypeReg, Name: "../native.f", Size: n}),
		"absolute":      header(tar.Header{Typeflag: tar.TypeReg, Name: "/native.f", Size: n}),
		"other name":    header(tar.Header{Typeflag: tar.TypeReg, Name: "native.g", Size: n}),
		"extended":      header(tar.Header{Typeflag: tar.TypeReg, Name: "native.f", Size: n, PAXRecords: map[string]string{"CFG.x": "1"}}),
		"other bytes": func(tw *tar.Writer) error {
			return errors.Join(good(tw), addFile(tw, "native.f", []byte("hostname b\n")))
		},
		"shorter": func(tw *tar.Writer) error { return errors.Join(good(tw), addFile(tw, "native.f", data[1:])) },
		"one more": func(tw *tar.Writer) error {
			return errors.Join(good(tw), addFile(tw, "native.f", data), addFile(tw, "x", nil))
		},
		"manifest twice": func(tw *tar.Writer) error { return errors.Join(good(tw), good(tw)) },
	}
	for name, write := range tests {
		t.Run(name, func(t *testing.T) {
			sealed, e := f.seal(func(w io.Writer) error {
				tw := tar.NewWriter(w)
				return errors.Join(write(tw), tw.Close())
			})
			if _, err := unseal(sealed, forgedVault, e, &f.agent.verifyKey, []age.Identity{f.id}); !errors.Is(err, ErrIntegrity) {
				t.Errorf("got %v, want ErrIntegrity", err)
			}
		})
	}
	sealed, e := f.seal(func(w io.Writer) error {
		tw := tar.NewWriter(w)
		return errors.Join(good(tw), addFile(tw, "native.f", data), tw.Close())
	})
	s, err := unseal(sealed, forgedVault, e, &f.agent.verifyKey, []age.Identity{f.id})
	if err != nil || string(s.Files[0].Data) != string(data) {
		t.Fatalf("the right archive: %v", err)
	}
	if _, err := unseal(sealed, "fedcba9876543210", e, &f.agent.verifyKey, []age.Identity{f.id}); !errors.Is(err, ErrIntegrity) {
		t.Errorf("manifest of another vault: %v", err)
	}
	other := newForge(t)
	if _, err := unseal(sealed, forgedVault, e, &f.agent.verifyKey, []age.Identity{other.id}); !errors.Is(err, ErrNoIdentity) {
		t.Errorf("wrong identity: %v", err)
	}
	key, err := FileKey(sealed, []age.Identity{f.id})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unseal(sealed, forgedVault, e, &f.agent.verifyKey, []age.Identity{NewFileKeyIdentity(key)}); err != nil {
		t.Errorf("file key: %v", err)
	}
	again, e2 := f.seal(func(w io.Writer) error {
		tw := tar.NewWriter(w)
		return errors.Join(good(tw), addFile(tw, "native.f", data), tw.Close())
	})
	if _, err := unseal(again, forgedVault, e2, &f.agent.verifyKey, []age.Identity{NewFileKeyIdentity(key)}); err == nil {
		t.Error("a file key opened another object")
	}
}
