package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cfgvault/cfgvault/plugins"
)

// ErrProtocol is a reply or a request that breaks the protocol: a stream
// without its end, an unknown code, more than the bounds allow.
var ErrProtocol = errors.New("the plugin broke the protocol")

// ErrPanic is a driver that panicked in one call. The panic's own text stays
// in the plugin: it may quote a configuration.
var ErrPanic = errors.New("the driver panicked")

// remoteError is an error from the other side: its text, and every sentinel
// that it matched there.
type remoteError struct {
	text string
	is   []error
}

func (e *remoteError) Error() string   { return e.text }
func (e *remoteError) Unwrap() []error { return e.is }

// toStatus turns an error of a driver or a session into a gRPC status that
// keeps its identity.
func toStatus(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrProtocol) {
		return status.Error(codes.InvalidArgument, text(err.Error()))
	}
	e := &Error{Text: []byte(cut(err.Error(), maxText))}
	for code, sentinel := range plugins.Codes() {
		if errors.Is(err, sentinel) {
			e.Codes = append(e.Codes, code)
		}
	}
	slices.Sort(e.Codes)
	if r, ok := errors.AsType[*plugins.RejectedError](err); ok {
		e.Rejected = &Rejected{Artefact: text(r.Artefact), Line: int64(r.Line), Text: []byte(cut(r.Text, maxRejected))}
	}
	code := codes.Unknown
	switch {
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	}
	// The status message is for tools that know no details; the text of a
	// driver's error travels once, in the detail.
	st, derr := status.New(code, "see the details").WithDetails(e)
	if derr != nil {
		return status.Error(codes.Internal, "the error could not be encoded")
	}
	return st.Err()
}

// fromStatus is the inverse of toStatus. ok is false for a status that no
// driver or session returned: a fault of the transport or the process.
func fromStatus(err error) (_ error, ok bool) {
	if err == nil {
		return nil, true
	}
	st, isStatus := status.FromError(err)
	if !isStatus {
		return err, false
	}
	for _, d := range st.Details() {
		e, isError := d.(*Error)
		if !isError {
			continue
		}
		table := plugins.Codes()
		r := &remoteError{text: cut(string(e.GetText()), maxText)}
		for _, code := range e.GetCodes() {
			if sentinel := table[code]; sentinel != nil && len(r.is) < len(table) {
				r.is = append(r.is, sentinel)
			}
		}
		if j := e.GetRejected(); j != nil {
			r.is = append(r.is, &plugins.RejectedError{Artefact: j.GetArtefact(), Line: int(j.GetLine()), Text: cut(string(j.GetText()), maxRejected)})
		}
		if r.text == "" {
			r.text = "the driver gave no reason"
		}
		return r, true
	}
	switch st.Code() {
	case codes.DeadlineExceeded:
		return context.DeadlineExceeded, true
	case codes.Unknown:
		// An exception of a plugin that knows no details.
		return &remoteError{text: cut(st.Message(), maxText)}, true
	}
	return err, false
}

// callError turns the error of a call to a driver into what the caller sees.
// Faults of the process stay gRPC statuses, for Crashed.
func callError(err error) error {
	e, ok := fromStatus(err)
	if ok || errors.Is(err, ErrProtocol) {
		return e
	}
	switch status.Code(err) {
	case codes.Internal, codes.DataLoss:
		if status.Convert(err).Message() == ErrPanic.Error() {
			return ErrPanic
		}
		return fmt.Errorf("%w: %s", ErrProtocol, cut(status.Convert(err).Message(), 200))
	case codes.Unimplemented, codes.ResourceExhausted, codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition:
		return fmt.Errorf("%w: %s", ErrProtocol, cut(status.Convert(err).Message(), 200))
	}
	return err
}

// Crashed reports whether the error of a call means that the process or the
// connection to it went away, rather than that the driver answered.
func Crashed(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*remoteError](err); ok {
		return false
	}
	_, ok := status.FromError(err)
	return ok
}

// sessionError turns the error of a call to the agent's sessions into what a
// driver sees: an agent that does not answer is a lost session.
func sessionError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := fromStatus(err); ok {
		return e
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if status.Code(err) == codes.ResourceExhausted {
		return fmt.Errorf("%w: %s", plugins.ErrTooLarge, status.Convert(err).Message())
	}
	return fmt.Errorf("%w: the agent does not answer: %s", plugins.ErrSessionLost, status.Convert(err).Message())
}

// cut shortens s to n bytes and says so.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + fmt.Sprintf("… (%d bytes cut)", len(s)-n)
}
