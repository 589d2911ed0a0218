package profile

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed profiles/*.yaml
var files embed.FS

// Names returns the names of the profiles that are built in, sorted.
func Names() []string {
	entries, err := fs.ReadDir(files, "profiles")
	if err != nil {
		panic(err) // the folder is embedded
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Open returns a built-in profile.
func Open(name string) (*Profile, error) {
	text, err := files.ReadFile("profiles/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no profile %q", name)
	}
	return Parse(name+".yaml", text)
}
