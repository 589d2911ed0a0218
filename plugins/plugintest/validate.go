package plugintest

import (
	"fmt"

	"github.com/cfgvault/cfgvault/schemas"
)

// validateCommon checks a tree against the common modules.
func validateCommon(tree []byte) error {
	set, err := schemas.Common()
	if err != nil {
		return fmt.Errorf("common modules: %w", err)
	}
	t, err := set.ParseJSON(tree)
	if err != nil {
		return err
	}
	return set.Validate(t)
}
