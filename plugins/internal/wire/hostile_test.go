package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/cfgvault/cfgvault/plugins"
)

// hostile is a plugin that answers Export with what a test gives it.
type hostile struct {
	UnimplementedDriverServer
	parts []*ExportPart
	state string
}

func (h *hostile) Export(_ *ExportRequest, out grpc.ServerStreamingServer[ExportPart]) error {
	for _, p := range h.parts {
		if err := out.Send(p); err != nil {
			return err
		}
	}
	return nil
}

func (h *hostile) Status(context.Context, *ChangeRequest) (*StatusReply, error) {
	return &StatusReply{State: h.state, LeftMs: -5}, nil
}

// Normalize floods the agent with a tree that does not end.
func (h *hostile) Normalize(st grpc.BidiStreamingServer[NormalizeRequest, NormalizePart]) error {
	piece := make([]byte, maxMessage-16)
	for {
		if err := st.Send(&NormalizePart{Part: &NormalizePart_Tree{piece}}); err != nil {
			return err
		}
	}
}

func head(name string, size int64) *ExportPart {
	return &ExportPart{Part: &ExportPart_Artefact{&Artefact{Name: name, Size: size}}}
}

func data(s string) *ExportPart { return &ExportPart{Part: &ExportPart_Data{[]byte(s)}} }

func end(verdict string) *ExportPart {
	return &ExportPart{Part: &ExportPart_End{&ExportEnd{Verdict: verdict}}}
}

// Whatever a plugin sends, the agent takes it as the protocol says or refuses
// it; above all a reply that was cut is never an export.
func TestHostileExport(t *testing.T) {
	many := make([]*ExportPart, 0, MaxArtefacts+2)
	for i := range MaxArtefacts + 1 {
		many = append(many, head(fmt.Sprint(i), 0))
	}
	tests := []struct {
		name  string
		parts []*ExportPart
		want  error
		text  string
	}{
		{"good", []*ExportPart{head("a", 2), data("x"), data("y"), head("b", 0), end("complete")}, nil, ""},
		{"nothing", nil, ErrProtocol, "ends early"},
		{"no end", []*ExportPart{head("a", 1), data("x")}, ErrProtocol, "ends early"},
		{"short", []*ExportPart{head("a", 3), data("xy"), end("complete")}, ErrProtocol, `"a" lacks 1 bytes`},
		{"short before the next", []*ExportPart{head("a", 3), data("xy"), head("b", 0), end("complete")}, ErrProtocol, `"a" lacks 1 bytes`},
		{"long", []*ExportPart{head("a", 1), data("xy"), end("complete")}, ErrProtocol, "more bytes"},
		{"bytes of nothing", []*ExportPart{data("x"), end("complete")}, ErrProtocol, "more bytes"},
		{"negative size", []*ExportPart{head("a", -1), end("complete")}, plugins.ErrTooLarge, ""},
		{"huge size", []*ExportPart{head("a", 1<<60), end("complete")}, plugins.ErrTooLarge, ""},
		{"twice", []*ExportPart{head("a", 0), head("a", 0), end("complete")}, ErrProtocol, "came twice"},
		{"absolute", []*ExportPart{head("/etc/passwd", 0), end("complete")}, ErrProtocol, "not a relative path"},
		{"dots", []*ExportPart{head("a/../../b", 0), end("complete")}, ErrProtocol, "not a relative path"},
		{"no name", []*ExportPart{head("", 0), end("complete")}, ErrProtocol, "not a relative path"},
		{"long name", []*ExportPart{head(strings.Repeat("n", 2000), 0), end("complete")}, ErrProtocol, "not a relative path"},
		{"many", append(many, end("complete")), plugins.ErrTooLarge, "1000 artefacts"},
		{"verdict", []*ExportPart{head("a", 0), end("perfect")}, ErrProtocol, `"perfect"`},
		{"after the end", []*ExportPart{head("a", 0), end("complete"), head("b", 0)}, ErrProtocol, "after the end"},
		{"a message too large", []*ExportPart{head("a", maxMessage), data(strings.Repeat("x", maxMessage)), end("complete")}, ErrProtocol, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := NewClient(connect(t, func(s *grpc.Server) { RegisterDriverServer(s, &hostile{parts: tt.parts}) }), time.Second)
			e, err := c.Export(t.Context(), &Session{})
			if !errors.Is(err, tt.want) || (err != nil && !strings.Contains(err.Error(), tt.text)) {
				t.Errorf("got %v, want %v with %q", err, tt.want, tt.text)
			}
			if (e == nil) != (tt.want != nil) || Crashed(err) {
				t.Errorf("export %v, crashed %v", e, Crashed(err))
			}
		})
	}
}

func TestHostileReplies(t *testing.T) {
	c := NewClient(connect(t, func(s *grpc.Server) { RegisterDriverServer(s, &hostile{state: "melted"}) }), time.Second)
	if st, _, err := c.Status(t.Context(), &Session{}, "c"); !errors.Is(err, ErrProtocol) || st != plugins.StateUnknown {
		t.Errorf("%v %v", st, err)
	}
	if _, err := c.Normalize(t.Context(), plugins.Facts{}, nil); !errors.Is(err, plugins.ErrTooLarge) {
		t.Errorf("a flood: %v", err)
	}
	if err := c.Confirm(t.Context(), &Session{}, "c"); !errors.Is(err, ErrProtocol) || Crashed(err) {
		t.Errorf("a method that is not there: %v", err)
	}
}

// FuzzCollector: artefacts that are sent in any division come back as they
// were or not at all.
func FuzzCollector(f *testing.F) {
	f.Add("running-config", []byte("hostname r1\n"), int64(12), uint8(3))
	f.Add("a/b", []byte{}, int64(0), uint8(0))
	f.Add("../x", []byte("x"), int64(1), uint8(1))
	f.Fuzz(func(t *testing.T, name string, body []byte, size int64, cutAt uint8) {
		c := newCollector()
		at := min(int(cutAt), len(body))
		err := errors.Join(c.head(&Artefact{Name: name, Size: size}), c.data(body[:at]), c.data(body[at:]), c.complete())
		honest := size == int64(len(body)) && fs.ValidPath(name) && name != "." && len(name) <= 1024
		if honest != (err == nil) {
			t.Fatalf("name %q, size %d of %d: %v", name, size, len(body), err)
		}
		if err == nil && (len(c.arts) != 1 || c.arts[0].Name != name || !bytes.Equal(c.arts[0].Data, body)) {
			t.Fatalf("%q came back as %+v", body, c.arts)
		}
	})
}
