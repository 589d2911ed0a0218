package agent

import (
	"github.com/cfgvault/cfgvault/schemas"
)

// validTree holds a driver's tree to the common modules.
func validTree(tree []byte) error {
	set, err := schemas.Common()
	if err != nil {
		return err
	}
	t, err := set.ParseJSON(tree)
	if err != nil {
		return err
	}
	return set.Validate(t)
}
