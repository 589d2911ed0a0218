package vault

import "time"

// HurryUp makes a vault repeat failed puts without long pauses.
func (v *Vault) HurryUp() {
	v.retry = func() retryPolicy { return retryPolicy{tries: 5, first: time.Millisecond} }
}
