package schemas

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Source finds modules and submodules by name. Modules are never looked for
// anywhere else, in particular not in the current directory.
type Source interface {
	// Module returns the text of a module or submodule and the name of the
	// file for messages. revision is empty for the newest. It fails with
	// fs.ErrNotExist if it has none.
	Module(name, revision string) (text []byte, file string, err error)
}

// FS is a Source over the *.yang files at the top of a file system, named
// name.yang or name@revision.yang (RFC 7950 §5.2).
func FS(fsys fs.FS) (Source, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	s := &dirSource{fsys: fsys, files: make(map[string][]string)}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".yang")
		if !ok || e.IsDir() {
			continue
		}
		name, _, _ = strings.Cut(name, "@")
		s.files[name] = append(s.files[name], e.Name())
	}
	return s, nil
}

type dirSource struct {
	fsys  fs.FS
	files map[string][]string // module name → its files, sorted by name
}

func (s *dirSource) Module(name, revision string) ([]byte, string, error) {
	return pick(s.files[name], name, revision, func(file string) ([]byte, error) { return fs.ReadFile(s.fsys, file) })
}

// Files is a Source over texts in memory, by file name as in FS. A name may
// have a path before it, which is only used in messages.
func Files(texts map[string][]byte) Source {
	s := &memSource{texts: texts, files: make(map[string][]string)}
	for file := range texts {
		name := strings.TrimSuffix(path.Base(file), ".yang")
		name, _, _ = strings.Cut(name, "@")
		if own, _, err := ModuleName(texts[file], file); err == nil {
			name = own // what is inside counts more than the file's name
		}
		s.files[name] = append(s.files[name], file)
	}
	return s
}

type memSource struct {
	texts map[string][]byte
	files map[string][]string
}

func (s *memSource) Module(name, revision string) ([]byte, string, error) {
	return pick(s.files[name], name, revision, func(file string) ([]byte, error) { return s.texts[file], nil })
}

// pick returns the file with the wanted revision, or the newest.
func pick(files []string, name, revision string, read func(string) ([]byte, error)) ([]byte, string, error) {
	var best []byte
	bestFile, bestRev := "", ""
	if len(files) == 1 && revision == "" {
		text, err := read(files[0])
		if err != nil {
			return nil, "", fmt.Errorf("read module %s: %w", name, err)
		}
		return text, files[0], nil
	}
	for _, file := range files {
		_, rev, dated := strings.Cut(strings.TrimSuffix(path.Base(file), ".yang"), "@")
		if dated && (revision != "" && rev != revision || best != nil && rev < bestRev) {
			continue
		}
		text, err := read(file)
		if err != nil {
			return nil, "", fmt.Errorf("read module %s: %w", name, err)
		}
		if !dated || revision != "" {
			if _, rev, err = ModuleName(text, file); err != nil {
				return text, file, nil // let the compiler say what is wrong
			}
		}
		if revision != "" && rev != revision {
			continue
		}
		if best == nil || rev > bestRev {
			best, bestFile, bestRev = text, file, rev
		}
	}
	if best == nil {
		return nil, "", fmt.Errorf("module %s: %w", at(name, revision), fs.ErrNotExist)
	}
	return best, bestFile, nil
}

// ModuleName returns the name and newest revision of the module or submodule
// in a text. The revision is empty if it has none.
func ModuleName(text []byte, file string) (name, revision string, err error) {
	root, err := parseStatements(text, &source{file: file})
	if err != nil {
		return "", "", err
	}
	if root.kw != "module" && root.kw != "submodule" {
		return "", "", faultf(root, "RFC 7950 §7.1", "the file holds a %q, not a module", clip(root.kw))
	}
	return root.arg, newest(root), nil
}

// BelongsTo returns the name of the module that the submodule in a text is part
// of, "" if the text holds no submodule.
func BelongsTo(text []byte, file string) string {
	root, err := parseStatements(text, &source{file: file})
	if err != nil || root.kw != "submodule" {
		return ""
	}
	return root.childArg("belongs-to")
}

func newest(root *statement) string {
	rev := ""
	for _, s := range root.subs {
		if s.kw == "revision" && s.arg > rev {
			rev = s.arg
		}
	}
	return rev
}

// find asks each source in turn.
func find(sources []Source, name, revision string) ([]byte, string, error) {
	for _, s := range sources {
		text, file, err := s.Module(name, revision)
		if !errors.Is(err, fs.ErrNotExist) {
			return text, file, err
		}
	}
	return nil, "", fs.ErrNotExist
}

func at(name, revision string) string {
	if revision == "" {
		return name
	}
	return name + "@" + revision
}
