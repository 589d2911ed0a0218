// Package secret holds values that must not be seen: passwords, passphrases,
// tokens. It keeps them out of logs, errors and encoders; it does not fetch
// them (agent/inventory resolves references) and does not wipe memory, which
// Go cannot promise.
package secret

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Hidden is what a Value prints as.
const Hidden = "•••"

// Value is a secret. Every way of printing or encoding it gives Hidden; only
// Reveal gives the secret. The zero Value is no secret at all.
type Value struct{ s string }

// New makes a Value.
func New(s string) Value { return Value{s} }

// Reveal returns the secret, for the one place that sends it.
func (v Value) Reveal() string { return v.s }

// IsZero reports whether there is no secret.
func (v Value) IsZero() bool { return v.s == "" }

// String returns Hidden.
func (v Value) String() string { return Hidden }

// Format prints Hidden for every verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Hidden) }

// MarshalText returns Hidden.
func (v Value) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// MarshalJSON returns Hidden.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(Hidden) }

// LogValue returns Hidden.
func (v Value) LogValue() slog.Value { return slog.StringValue(Hidden) }

var (
	_ fmt.Formatter          = Value{}
	_ encoding.TextMarshaler = Value{}
	_ slog.LogValuer         = Value{}
)
