package device

import gossh "golang.org/x/crypto/ssh"

// NewSigner makes an SSH key.
func NewSigner() gossh.Signer { return newSigner() }

// Up reports whether the device answers.
func (d *Device) Up() bool { return d.up() }

// Passes reports whether a password is accepted.
func (d *Device) Passes(user, password string) bool { return d.admits(user, password) }
