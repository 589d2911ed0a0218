package agent

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// CheckOptions holds a device's driver options against what the driver
// declares.
func CheckOptions(info plugins.Info, options map[string]string) error {
	for _, name := range sortedKeys(options) {
		var known []string
		found := false
		for _, o := range info.Options {
			known = append(known, o.Name)
			if o.Name != name {
				continue
			}
			found = true
			if o.Pattern == "" {
				continue
			}
			re, err := regexp.Compile(`^(?:` + o.Pattern + `)$`)
			if err != nil {
				return fmt.Errorf("option %s: the driver's pattern: %w", name, err)
			}
			if !re.MatchString(options[name]) {
				return fmt.Errorf("option %s: the value does not have the form that driver %s wants: %s", name, info.Name, o.Text)
			}
		}
		if !found {
			if len(known) == 0 {
				return fmt.Errorf("option %q: driver %s has none", name, info.Name)
			}
			return fmt.Errorf("option %q: driver %s has %s", name, info.Name, strings.Join(known, ", "))
		}
	}
	return nil
}
