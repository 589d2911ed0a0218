package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
)

// Firmware is the identity of what a unit runs: the system, its version and,
// where the driver keeps evidence of it (artefacts of role state that are bound
// to the version: build numbers, image names), the SHA-256 of that evidence
// without its volatile lines. Two units of equal identity run the same
// firmware. The digest of the image itself stands before that hash, after the
// word "image", where the platform was asked to compute it. No driver has the
// digest of a SUIT report (RFC 9019) to give: no platform here has one.
func Firmware(text *plugins.Text, f plugins.Facts, native []plugins.Artefact) string {
	parts := []string{}
	for _, s := range []string{f.OS, f.OSVersion} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	h := sha256.New()
	found := false
	for _, a := range native {
		if a.Role == plugins.RoleState && a.Bind == plugins.BindVersion {
			found = true
			h.Write([]byte(a.Name + "\x00"))
			h.Write(text.Significant(a.Name, a.Data))
		}
	}
	if digest := plugins.ImageDigest(native); digest != "" {
		parts = append(parts, "image "+digest)
	}
	if found {
		parts = append(parts, "sha256:"+hex.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(parts, " ")
}
