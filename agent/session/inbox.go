package session

import (
	"context"
	"io"
	"sync"
	"time"
)

// inboxMost is how much may wait unread; SSH's own window holds more.
const inboxMost = 1 << 20

// inbox holds what a channel sent until somebody takes it, so that reads can
// end by deadline.
type inbox struct {
	mu   sync.Mutex
	buf  []byte
	err  error         // after buf
	more chan struct{} // signalled when buf or err changed
	room chan struct{} // signalled when buf was taken
	quit chan struct{}
	once sync.Once
}

// newInbox starts to read from r; the goroutine ends when r does or when the
// inbox is closed and r returns. end turns the error of r into the one to
// report.
func newInbox(r io.Reader, end func(error) error) *inbox {
	b := &inbox{more: make(chan struct{}, 1), room: make(chan struct{}, 1), quit: make(chan struct{})}
	go b.fill(r, end)
	return b
}

func (b *inbox) fill(r io.Reader, end func(error) error) {
	chunk := make([]byte, 16<<10)
	for {
		n, err := r.Read(chunk)
		if err != nil {
			err = end(err)
		}
		b.mu.Lock()
		b.buf = append(b.buf, chunk[:n]...)
		b.err = err
		full := len(b.buf) >= inboxMost
		b.mu.Unlock()
		signal(b.more)
		if err != nil {
			return
		}
		for full {
			select {
			case <-b.room:
			case <-b.quit:
				return
			}
			b.mu.Lock()
			full = len(b.buf) >= inboxMost
			b.mu.Unlock()
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (b *inbox) close() { b.once.Do(func() { close(b.quit) }) }

// swap returns all that came, and gives spare to be filled next. The error
// comes with or after the last bytes.
func (b *inbox) swap(spare []byte) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	got := b.buf
	b.buf = spare[:0]
	signal(b.room)
	return got, b.err
}

// wait returns when something came (true), or after d (false); d of 0 waits
// for as long as it takes.
func (b *inbox) wait(ctx context.Context, d time.Duration) (bool, error) {
	var timer <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-b.more:
		return true, nil
	case <-timer:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// read copies what came to p, for streams: it blocks until there is something
// or cancel is closed.
func (b *inbox) read(p []byte, cancel <-chan struct{}) (int, error, bool) {
	for {
		b.mu.Lock()
		if len(b.buf) > 0 || b.err != nil {
			n := copy(p, b.buf)
			b.buf = b.buf[n:]
			var err error
			if len(b.buf) == 0 {
				b.buf = nil
				if n == 0 {
					err = b.err
				}
			} else {
				signal(b.more)
			}
			if b.err != nil {
				signal(b.more)
			}
			b.mu.Unlock()
			signal(b.room)
			return n, err, true
		}
		b.mu.Unlock()
		select {
		case <-b.more:
		case <-cancel:
			return 0, nil, false
		}
	}
}
