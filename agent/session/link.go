package session

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

var errGreeting = errors.New("too many bytes before the login")

// wire is the TCP connection below SSH. It counts, for bounds and for signs of
// life.
type wire struct {
	net.Conn
	left   atomic.Int64 // bytes that may still be read; negative: unlimited
	over   atomic.Bool
	failed atomic.Bool
	heard  atomic.Int64 // when bytes last came, Unix nanoseconds

	mu      sync.Mutex
	reading bool            // somebody waits for bytes
	turn    []chan struct{} // closed when reading or failed turns true
}

func newWire(c net.Conn, limit int64) *wire {
	w := &wire{Conn: c}
	w.left.Store(limit)
	w.heard.Store(time.Now().UnixNano())
	return w
}

func (w *wire) unlimited()       { w.left.Store(-1) }
func (w *wire) overflowed() bool { return w.over.Load() }

func (w *wire) Read(p []byte) (int, error) {
	left := w.left.Load()
	if left == 0 {
		w.over.Store(true)
		w.failed.Store(true)
		return 0, errGreeting
	}
	if left > 0 && int64(len(p)) > left {
		p = p[:left]
	}
	w.setReading(true)
	n, err := w.Conn.Read(p)
	w.setReading(false)
	if n > 0 {
		w.heard.Store(time.Now().UnixNano())
		if left > 0 {
			// A failed swap means that the limit was lifted meanwhile.
			w.left.CompareAndSwap(left, left-int64(n))
		}
	}
	if err != nil {
		w.failed.Store(true)
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil {
		w.failed.Store(true)
	}
	return n, err
}

func (w *wire) Close() error {
	w.failed.Store(true)
	w.wake()
	return w.Conn.Close()
}

func (w *wire) setReading(now bool) {
	w.mu.Lock()
	w.reading = now
	w.mu.Unlock()
	if now {
		w.wake()
	}
}

func (w *wire) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.turn {
		close(c)
	}
	w.turn = nil
}

// settled reports that everything received has been taken by SSH, which waits
// for more: it gives up the connection before it stops to read. False: it has
// stopped, or is busy for longer than patience.
func (w *wire) settled(patience time.Duration) bool {
	w.mu.Lock()
	if w.reading || w.failed.Load() {
		defer w.mu.Unlock()
		return w.reading
	}
	turn := make(chan struct{})
	w.turn = append(w.turn, turn)
	w.mu.Unlock()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-turn:
	case <-t.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reading
}

// link is one authenticated SSH connection.
type link struct {
	client *ssh.Client
	wire   *wire
	key    ssh.PublicKey // that the server proved

	mu     sync.Mutex
	closed bool
	timer  *time.Timer
}

func newLink(c *ssh.Client, w *wire, key ssh.PublicKey, keepAlive time.Duration) *link {
	l := &link{client: c, wire: w, key: key}
	if keepAlive > 0 {
		l.mu.Lock()
		l.timer = time.AfterFunc(keepAlive, func() { l.keepAlive(keepAlive) })
		l.mu.Unlock()
	}
	return l
}

func (l *link) dead() bool { return l.wire.failed.Load() }

func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	_ = l.client.Close()
	_ = l.wire.Close()
}

// keepAlive asks a silent device for a sign of life and closes the connection
// if none comes. Any byte is one: some devices do not answer global requests.
// It runs on a timer, so that an idle session costs no goroutine.
func (l *link) keepAlive(every time.Duration) {
	silent := time.Since(time.Unix(0, l.wire.heard.Load()))
	if silent >= every {
		// The answer may never come while bytes still do: judge again until
		// the request returns.
		var judge *time.Timer
		l.mu.Lock()
		judge = time.AfterFunc(every, func() {
			if time.Since(time.Unix(0, l.wire.heard.Load())) >= every {
				_ = l.wire.Close()
				return
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			judge.Reset(every)
		})
		l.mu.Unlock()
		_, _, err := l.client.SendRequest("keepalive@openssh.com", true, nil)
		l.mu.Lock()
		judge.Stop()
		l.mu.Unlock()
		if err != nil {
			_ = l.wire.Close()
			return
		}
		silent = 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.timer.Reset(every - silent)
	}
}

// closedInOrder reports whether the device itself closed a channel that has
// ended (RFC 4254 section 5.3). When the connection goes away x/crypto ends a
// channel's streams with io.EOF all the same, even if an exit status came
// before. But it stops to read from the connection first, and for good: if it
// is seen reading after a channel with an exit status has ended, the device has
// ended the channel, and that costs nothing. (A device that breaks the protocol
// between exit status and close would pass: as it would with a false close.)
// Else the connection is asked: packets are handled in order, and if it still
// answers, what ended the channel was the device's CHANNEL_CLOSE. That costs one
// round trip.
//
// BUG(session): a device that drops the connection together with its one exec
// channel cannot be told from one that was cut off; it needs a shell.
func (l *link) closedInOrder(ctx context.Context, status bool) bool {
	if status && l.wire.settled(settleTime) {
		return true
	}
	if l.dead() {
		return false
	}
	answered := make(chan error, 1)
	go func() {
		_, _, err := l.client.SendRequest("keepalive@openssh.com", true, nil)
		answered <- err
	}()
	patience := time.NewTimer(answerTime)
	defer patience.Stop()
	select {
	case err := <-answered:
		return err == nil
	case <-ctx.Done():
	case <-patience.C:
	}
	return false
}

// settleTime is how long the bytes that have come may take to be handled.
const settleTime = 100 * time.Millisecond

// answerTime is how long a connection has to answer for itself.
const answerTime = 30 * time.Second
