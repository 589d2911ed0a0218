package vault

import (
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// SealDetails encrypts what a receipt may not say in clear to the vault's
// recipients: a plain age file. Its place is in the receipt's body, where the
// signature covers it.
func (v *Vault) SealDetails(details []byte) ([]byte, error) {
	v.mu.Lock()
	recipients := v.recipients
	v.mu.Unlock()
	return encrypt(details, recipients)
}

// OpenDetails decrypts what SealDetails made. ErrNoIdentity if no identity fits.
func (v *Vault) OpenDetails(sealed []byte, ids []age.Identity) ([]byte, error) {
	r, err := decrypt("details of a receipt", sealed, ids)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxReceipt+1))
	if err != nil {
		return nil, fmt.Errorf("details of a receipt: %w", err)
	}
	if len(data) > maxReceipt {
		return nil, fmt.Errorf("details of a receipt: %w", ErrTooLarge)
	}
	return data, nil
}

// FetchReceipt returns the bytes of a receipt as they lie in the store: a
// signed note, compared with the hash in its name.
func (v *Vault) FetchReceipt(ctx context.Context, r Receipt) ([]byte, error) {
	_, hash, err := parseTimedName("receipts", "", r.Object)
	if err != nil {
		return nil, fmt.Errorf("fetch receipt: %w", err)
	}
	return v.getNamed(ctx, r.Object, hash, maxReceipt)
}

// VerifyReceipt holds the bytes of a receipt, wherever they come from, against
// the trust that this home has seen: signature, signer, vault and spelling.
// ErrIntegrity if something is wrong, also for a signer whose key had ended.
func (v *Vault) VerifyReceipt(data []byte) (Receipt, error) {
	if len(data) > maxReceipt {
		return Receipt{}, fmt.Errorf("verify receipt: %w", ErrTooLarge)
	}
	// The time stands in the text and, from there, in the name.
	peek := &reader{rest: string(data)}
	peek.header(kindReceipt)
	peek.field("key")
	peek.field("kind")
	at := peek.time("time")
	if peek.err != nil {
		return Receipt{}, &IntegrityError{Object: "the receipt", What: "is no receipt of a vault", Err: peek.err}
	}
	object := timedName("receipts", at, data, "")
	r, ok, err := openReceipt(v.current().trust, object, at, data)
	if err != nil {
		return Receipt{}, err
	}
	if !ok {
		return r, &IntegrityError{Object: object, What: "receipt", Err: errors.New("its signer's key had ended when it was signed")}
	}
	return r, nil
}

// PublicKey returns the public key of an operator or agent of the vault's
// trust, as signed notes write it.
func (v *Vault) PublicKey(id string) (string, bool) {
	k, ok := v.current().trust.key(id)
	if !ok {
		return "", false
	}
	return k.text, true
}
