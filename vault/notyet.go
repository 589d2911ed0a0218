package vault

import "errors"

var errNotYet = errors.New("not built yet")
