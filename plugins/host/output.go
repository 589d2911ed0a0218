package host

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// Bounds of what a process may add to the debug log.
const (
	maxLogLine  = 4 << 10
	maxLogBytes = 1 << 20
)

// output takes what a plugin prints and passes it to the debug log, line by
// line and up to a bound. It may quote a device, so it goes nowhere else.
type output struct {
	mu   sync.Mutex
	log  *slog.Logger
	line []byte
	left int
}

func newOutput(log *slog.Logger) *output { return &output{log: log, left: maxLogBytes} }

// Write never fails and never blocks on more than the log.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(p)
	for len(p) > 0 && o.left > 0 {
		i := bytes.IndexByte(p, '\n')
		piece, whole := p, false
		if i >= 0 {
			piece, p, whole = p[:i], p[i+1:], true
		} else {
			p = nil
		}
		o.line = append(o.line, piece[:min(len(piece), maxLogLine-len(o.line))]...)
		if whole || len(o.line) == maxLogLine {
			o.flush()
		}
	}
	return n, nil
}

func (o *output) flush() {
	if len(o.line) > 0 {
		o.left -= len(o.line)
		o.log.Debug("plugin printed", "line", strings.ToValidUTF8(string(o.line), "\uFFFD"))
		if o.left <= 0 {
			o.log.Debug("plugin prints too much; the rest is dropped")
		}
	}
	o.line = o.line[:0]
}
