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

// canonicalTree is a driver's tree in its one form: what means the same has the
// same bytes, whatever the order in which the device wrote it.
func canonicalTree(tree []byte) ([]byte, error) {
	set, err := schemas.Common()
	if err != nil {
		return nil, err
	}
	t, err := set.ParseJSON(tree)
	if err != nil {
		return nil, err
	}
	return t.Canonical(), nil
}
