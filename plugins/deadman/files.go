package deadman

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cfgvault/cfgvault/plugins"
)

// FileChange is a change of files below / on the device: which are put, with
// mode and owner, and which go. A driver whose configuration is files stages
// it with Staged and lets its scripts carry it out with FileLib.
type FileChange struct {
	Changed []string // paths of files that change, without the leading slash
	Losses  []plugins.Loss
	Text    string // as unified differences

	plan  []string
	files []File
}

// CompareFiles finds what changes between the files that a device has and
// those that it should have. Only what covered reports is touched; the rest of
// want is a loss. It fails with ErrRejected for a path that is not plain and
// for want without any file.
func CompareFiles(now, want []plugins.Artefact, covered func(name string) bool) (*FileChange, error) {
	have := map[string]plugins.Artefact{}
	for _, a := range now {
		if a.Role == plugins.RoleFile {
			have[a.Name] = a
		}
	}
	c, wanted := &FileChange{}, map[string]bool{}
	var diff strings.Builder
	for _, a := range slices.SortedFunc(slices.Values(want), func(a, b plugins.Artefact) int { return strings.Compare(a.Name, b.Name) }) {
		switch {
		case a.Role != plugins.RoleFile:
			continue
		case path.Clean(a.Name) != a.Name || strings.HasPrefix(a.Name, "/") || strings.HasPrefix(a.Name, "../") || strings.ContainsAny(a.Name, "\t\r\n\\"):
			return nil, fmt.Errorf("the artefact %q has no plain path: %w", a.Name, plugins.ErrRejected)
		case !covered(a.Name):
			c.Losses = append(c.Losses, plugins.Loss{Artefact: a.Name, Code: "not-declared", Text: "/" + a.Name + " is not among the files of this device's backup"})
			continue
		}
		wanted[a.Name] = true
		if old, there := have[a.Name]; !there || !sameFile(old, a) {
			c.put(&diff, old, a, there)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if !wanted[name] && covered(name) {
			c.plan = append(c.plan, "drop\t-\t-\t-\t"+name+"\n")
			c.Changed = append(c.Changed, name)
			diff.WriteString(udiff.Unified("/"+name, "/dev/null", shownFile(have[name]), ""))
		}
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("there is no file to put back: %w", plugins.ErrRejected)
	}
	c.Text = diff.String()
	return c, nil
}

func sameFile(old, a plugins.Artefact) bool {
	if old.Attrs["link"] != a.Attrs["link"] {
		return false
	}
	if a.Attrs["link"] == "" {
		for _, k := range []string{"mode", "owner", "group"} {
			if a.Attrs[k] != "" && old.Attrs[k] != a.Attrs[k] {
				return false
			}
		}
	}
	return bytes.Equal(old.Data, a.Data)
}

func fileAttr(a plugins.Artefact, name, otherwise string) string {
	if v := a.Attrs[name]; v != "" && !strings.ContainsAny(v, "\t\n ") {
		return v
	}
	return otherwise
}

func (c *FileChange) put(diff *strings.Builder, old, a plugins.Artefact, there bool) {
	mode, user, group := fileAttr(a, "mode", "0644"), fileAttr(a, "owner", "root"), fileAttr(a, "group", "root")
	c.plan = append(c.plan, fmt.Sprintf("put\t%s\t%s\t%s\t%s\n", mode, user, group, a.Name))
	c.files = append(c.files, File{Name: "new/" + a.Name, Data: a.Data, Link: a.Attrs["link"]})
	c.Changed = append(c.Changed, a.Name)
	from := "/" + a.Name
	if !there {
		from = "/dev/null"
	}
	diff.WriteString(udiff.Unified(from, "/"+a.Name, shownFile(old), shownFile(a)))
	if there && a.Attrs["link"] == "" && (old.Attrs["mode"] != mode || old.Attrs["owner"] != user || old.Attrs["group"] != group) {
		fmt.Fprintf(diff, "# /%s: mode %s %s:%s becomes %s %s:%s\n", a.Name, old.Attrs["mode"], old.Attrs["owner"], old.Attrs["group"], mode, user, group)
	}
}

// shownFile is a file as a difference shows it.
func shownFile(a plugins.Artefact) string {
	switch {
	case a.Attrs["link"] != "":
		return "symbolic link to " + a.Attrs["link"] + "\n"
	case bytes.IndexByte(a.Data, 0) >= 0:
		return fmt.Sprintf("binary file of %d bytes\n", len(a.Data))
	}
	return string(a.Data)
}

// Staged are the files that FileLib needs in the change's
// folder.
func (c *FileChange) Staged() []File {
	return append(slices.Clone(c.files), File{Name: "plan", Data: []byte(strings.Join(c.plan, ""))})
}

// FileLib is shell that defines files_save_old, files_put, files_put_back and
// files_check for the four scripts. A file is replaced by rename, so that
// whoever reads it sees the old or the new one. It needs of busybox: cp, mv,
// rm, mkdir, chmod, chown, readlink and cmp.
const FileLib = `LC_ALL=C; export LC_ALL; tab=$(printf '\t')
there() { [ -e "$1" ] || [ -L "$1" ]; }
put() { # FROM PATH
	[ -L "$2" ] || [ ! -d "$2" ] || { echo "$2 is a folder"; return 1; }
	(umask 022 && mkdir -p "${2%/*}") && cp -a "$1" "${2%/*}/.cfgvault-new" && mv -f "${2%/*}/.cfgvault-new" "$2" || { rm -f "${2%/*}/.cfgvault-new"; return 1; }
}
equal() { # FILE FILE
	if [ -L "$1" ] || [ -L "$2" ]; then [ "$(readlink "$1")" = "$(readlink "$2")" ]; else cmp -s "$1" "$2"; fi
}
files_save_old() {
	rm -rf old && mkdir old || return 1
	while IFS=$tab read -r how mode owner group path; do
		there "/$path" || continue
		case $path in */*) mkdir -p "old/${path%/*}" || return 1 ;; esac
		cp -a "/$path" "old/$path" || return 1
	done <plan
}
files_put() {
	while IFS=$tab read -r how mode owner group path; do
		case $how in
		put)
			if [ ! -L "new/$path" ]; then
				chown "$owner:$group" "new/$path" 2>/dev/null || chown 0:0 "new/$path" || return 1
				chmod "$mode" "new/$path" || return 1
			fi
			put "new/$path" "/$path" || { echo "/$path cannot be written"; return 1; } ;;
		drop) rm -f "/$path" || return 1 ;;
		esac
	done <plan
}
files_put_back() {
	bad=0
	while IFS=$tab read -r how mode owner group path; do
		if there "old/$path"; then put "old/$path" "/$path" || bad=1; else rm -f "/$path" || bad=1; fi
	done <plan
	return $bad
}
files_check() {
	while IFS=$tab read -r how mode owner group path; do
		case $how in
		put) equal "new/$path" "/$path" || { echo "/$path is not as it was put"; return 1; } ;;
		drop) ! there "/$path" || { echo "/$path is there again"; return 1; } ;;
		esac
	done <plan
}
`
