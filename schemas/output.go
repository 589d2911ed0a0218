package schemas

import "io"

// output collects what a writer writes, and hands it on in pieces if there is
// somebody to take it.
type output struct {
	b   []byte
	to  io.Writer
	err error
}

const outputPiece = 64 << 10

func (o *output) str(s string) { o.b = append(o.b, s...) }

func (o *output) byte(c byte) { o.b = append(o.b, c) }

// spill hands on what there is, if it is enough.
func (o *output) spill() {
	if o.to != nil && len(o.b) >= outputPiece {
		o.flush()
	}
}

func (o *output) flush() {
	if o.err == nil {
		_, o.err = o.to.Write(o.b)
	}
	o.b = o.b[:0]
}
