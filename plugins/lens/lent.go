package lens

import (
	"strings"
	"sync"
)

// Lent is a table whose codecs and functions look into N, what one text says
// elsewhere: VLANs by name, the router's AS number. Compiling a table takes
// longer than reading most texts, so that compiled ones are kept and each
// serves one text at a time. It is safe for concurrent use.
type Lent[N any] struct {
	New func(n *N) Table // n is filled before each use

	free sync.Pool
}

type lentTable[N any] struct {
	lens *Lens
	n    *N
}

// With calls use with a lens for a text that says n. The lens is good until
// use returns.
func (l *Lent[N]) With(n N, use func(*Lens)) {
	t, ok := l.free.Get().(*lentTable[N])
	if !ok {
		t = &lentTable[N]{n: new(N)}
		t.lens = Check(l.New(t.n))
	}
	*t.n = n
	use(t.lens)
	l.free.Put(t)
}

// Labelled is a text that the tree keeps behind a label, "protocol=tcp": for
// conditions and actions that stay in a platform's words.
func Labelled(label string) Codec {
	text := Text()
	return Codec{
		Read: func(s string) ([]any, bool) {
			v, ok := text.Read(s)
			if !ok || s == "" {
				return nil, false
			}
			return One(label + "=" + v[0].(string))
		},
		Write: func(v []any) (string, bool) {
			s, _ := v[0].(string)
			rest, ok := strings.CutPrefix(s, label+"=")
			if !ok || rest == "" {
				return "", false
			}
			return text.Write([]any{rest})
		},
	}
}
