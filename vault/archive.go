package vault

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"
)

// Limits of an archive, checked when it is written and again when it is read:
// a reader never unpacks more, whatever the writer did.
const (
	maxArchive  = 1 << 30 // unpacked, with headers
	maxFiles    = 1000
	maxManifest = 16 << 20
	maxName     = 200 // of a file in the archive
)

const manifestName = "manifest"

// member is one file of an archive behind the manifest.
type member struct {
	Name   string `json:"as"` // in the archive
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	data   []byte
}

func newMember(name string, data []byte) member {
	return member{Name: name, Size: int64(len(data)), SHA256: hashHex(data), data: data}
}

// memberName is the flat name in the archive of a file of that kind and name.
// Long names are cut and carry a hash of the whole name.
func memberName(kind FileKind, name string) string {
	s := string(kind) + "." + url.PathEscape(name)
	if len(s) > maxName {
		s = s[:maxName-17] + "~" + hashName([]byte(name))[:16]
	}
	return s
}

// writeArchive writes a tar of the manifest and the members, in this order.
func writeArchive(manifest []byte, members []member, t time.Time) ([]byte, error) {
	size := int64(len(manifest))
	for _, m := range members {
		size += m.Size + 1024
	}
	if size > maxArchive || len(members) >= maxFiles || len(manifest) > maxManifest {
		return nil, fmt.Errorf("snapshot of %d bytes in %d files: %w: the format allows %d bytes in %d files",
			size, len(members)+1, ErrTooLarge, maxArchive, maxFiles)
	}
	var buf bytes.Buffer
	buf.Grow(int(size) + 4096)
	w := tar.NewWriter(&buf)
	add := func(name string, data []byte) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: t.Truncate(time.Second)}
		if err := w.WriteHeader(h); err != nil {
			return fmt.Errorf("pack %s: %w", name, err)
		}
		_, err := w.Write(data)
		return err
	}
	if err := add(manifestName, manifest); err != nil {
		return nil, err
	}
	for _, m := range members {
		if err := add(m.Name, m.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

var errArchive = errors.New("not an archive of this format")

func badArchive(format string, a ...any) error {
	return fmt.Errorf("%w: %s", errArchive, fmt.Sprintf(format, a...))
}

// readArchive reads a tar of exactly a manifest and the members that it names.
// verify is called with the manifest before anything else is read and returns
// the members that must follow: what a stranger packed is never unpacked.
// Memory grows with the data that is really there, never with a size promised.
func readArchive(in io.Reader, verify func(manifest []byte) ([]member, error)) ([]member, error) {
	limited := &io.LimitedReader{R: in, N: maxArchive + 1}
	r := tar.NewReader(limited)
	manifest, err := readMember(r, manifestName, maxManifest)
	if err != nil {
		return nil, err
	}
	members, err := verify(manifest)
	if err != nil {
		return nil, err
	}
	if len(members) >= maxFiles {
		return nil, badArchive("more than %d files", maxFiles)
	}
	var total int64
	for i := range members {
		m := &members[i]
		if m.Size < 0 || m.Size > maxArchive-total {
			return nil, badArchive("more than %d bytes", int64(maxArchive))
		}
		total += m.Size
		if m.data, err = readMember(r, m.Name, m.Size); err != nil {
			return nil, err
		}
		if int64(len(m.data)) != m.Size || hashHex(m.data) != m.SHA256 {
			return nil, badArchive("%q is not the file that the manifest names", m.Name)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		if err == nil {
			return nil, badArchive("holds a file that the manifest does not name")
		}
		return nil, archiveError(err)
	}
	// The tar ends here; so must the stream, in a zero-length read that also
	// makes age authenticate its last chunk.
	if n, err := io.ReadFull(limited, make([]byte, 1)); n != 0 || err != io.EOF {
		if err == nil || err == io.ErrUnexpectedEOF {
			return nil, badArchive("goes on behind its end")
		}
		return nil, archiveError(err)
	}
	return members, nil
}

func readMember(r *tar.Reader, name string, limit int64) ([]byte, error) {
	h, err := r.Next()
	if err == io.EOF {
		return nil, badArchive("ends before %q", name)
	}
	if err != nil {
		return nil, archiveError(err)
	}
	for k := range h.PAXRecords {
		if k != "path" {
			return nil, badArchive("uses an extension of tar")
		}
	}
	switch {
	case h.Typeflag != tar.TypeReg:
		return nil, badArchive("holds something that is no regular file")
	case h.Name != name:
		return nil, badArchive("holds %q where %q should be", h.Name, name)
	case h.Size > limit:
		return nil, badArchive("%q is larger than it may be", name)
	}
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, r); err != nil {
		return nil, archiveError(err)
	}
	return buf.Bytes(), nil
}

func archiveError(err error) error { return fmt.Errorf("%w: %w", errArchive, err) }
