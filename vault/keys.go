package vault

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Roles of signing keys. The role is part of the name under which a key signs,
// so that a signature cannot be taken for one of another role.
const (
	roleRoot     = "root"
	roleOperator = "operator"
	roleAgent    = "agent"
)

const keyIDDigits = 16

// signingKey is a private Ed25519 key in the notation of signed notes.
type signingKey struct {
	verifyKey
	text   string // PRIVATE+KEY+…
	signer note.Signer
}

// verifyKey is a public key. Its name is "<role>.<id>", its id the first 64
// bits of the SHA-256 of the raw key.
type verifyKey struct {
	role, id string
	text     string
	verifier note.Verifier
}

func newSigningKey(role string) (*signingKey, error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return makeSigningKey(role, pub, priv)
}

func makeSigningKey(role string, pub ed25519.PublicKey, priv ed25519.PrivateKey) (*signingKey, error) {
	sum := sha256.Sum256(pub)
	name := role + "." + hex.EncodeToString(sum[:])[:keyIDDigits]
	vkey, err := note.NewEd25519VerifierKey(name, pub)
	if err != nil {
		return nil, err
	}
	hash := strings.Split(vkey, "+")[1]
	const ed25519Alg = 1
	text := "PRIVATE+KEY+" + name + "+" + hash + "+" +
		base64.StdEncoding.EncodeToString(append([]byte{ed25519Alg}, priv.Seed()...))
	return parseSigningKey(role, text)
}

// parseSigningKey reads a private key. Errors never quote it.
func parseSigningKey(role, text string) (*signingKey, error) {
	text = strings.TrimSpace(text)
	signer, err := note.NewSigner(text)
	if err != nil {
		return nil, fmt.Errorf("%s key: not a private signing key", role)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.SplitN(text, "+", 5)[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, fmt.Errorf("%s key: not a private signing key", role)
	}
	pub := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	vtext, err := note.NewEd25519VerifierKey(signer.Name(), pub)
	if err != nil {
		return nil, fmt.Errorf("%s key: %w", role, err)
	}
	vk, err := parseVerifyKey(role, vtext)
	if err != nil {
		return nil, err
	}
	return &signingKey{verifyKey: *vk, text: text, signer: signer}, nil
}

func parseVerifyKey(role, text string) (*verifyKey, error) {
	text = strings.TrimSpace(text)
	v, err := note.NewVerifier(text)
	if err != nil {
		return nil, fmt.Errorf("%s key %q: %w", role, text, err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.SplitN(text, "+", 3)[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return nil, fmt.Errorf("%s key %q: not an Ed25519 key", role, text)
	}
	sum := sha256.Sum256(raw[1:])
	id := hex.EncodeToString(sum[:])[:keyIDDigits]
	if v.Name() != role+"."+id {
		return nil, fmt.Errorf("%s key %q: should be named %s.%s", role, text, role, id)
	}
	return &verifyKey{role: role, id: id, text: text, verifier: v}, nil
}

// sign returns text as a signed note.
func (k *signingKey) sign(text string) ([]byte, error) {
	return note.Sign(&note.Note{Text: text}, k.signer)
}

// open returns the text of a note that carries exactly one signature, this
// key's. More would let anyone make a second spelling of the same note.
func (k *verifyKey) open(data []byte) (string, error) {
	n, err := note.Open(data, note.VerifierList(k.verifier))
	if err != nil {
		return "", fmt.Errorf("not signed by %s: %w", k.verifier.Name(), err)
	}
	if len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return "", fmt.Errorf("carries more than the one signature of %s", k.verifier.Name())
	}
	again := n.Text + "\n— " + n.Sigs[0].Name + " " + n.Sigs[0].Base64 + "\n"
	if again != string(data) {
		return "", fmt.Errorf("not in the one spelling of a signed note")
	}
	return n.Text, nil
}
