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
// life. And it holds the end of the connection back for a moment while there
// are channels whose end nobody has judged yet: see closedInOrder.
type wire struct {
	net.Conn
	hold   time.Duration // at most
	left   atomic.Int64  // bytes that may still be read; negative: unlimited
	over   atomic.Bool
	failed atomic.Bool
	heard  atomic.Int64 // when bytes last came, Unix nanoseconds

	mu      sync.Mutex
	reading bool            // somebody waits for bytes
	turn    []chan struct{} // closed when reading or failed turns true

	open   int           // channels whose end is not judged
	judged chan struct{} // while the end is held: closed when open is 0
	held   chan struct{} // closed when the connection has ended, but not by us
	told   chan struct{} // closed when SSH is told of it
	closed chan struct{}
	once   sync.Once // closes closed
	ended  sync.Once // holds the end
}

func newWire(c net.Conn, limit int64, hold time.Duration) *wire {
	w := &wire{Conn: c, hold: hold, held: make(chan struct{}), told: make(chan struct{}), closed: make(chan struct{})}
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
	if err != nil {
		w.ended.Do(w.holdEnd)
	}
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
	w.once.Do(func() { close(w.closed) })
	w.wake()
	return w.Conn.Close()
}

// expect says that there is a channel whose end will be judged; done, that it
// has been.
func (w *wire) expect() (done func()) {
	w.mu.Lock()
	w.open++
	w.mu.Unlock()
	return sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.open--; w.open == 0 && w.judged != nil {
			close(w.judged)
			w.judged = nil
		}
	})
}

// holdEnd returns when SSH may learn that the connection has ended: by a close,
// by a reset where the device does not care for our answer to its close, or by a
// network that is gone. Our own end is no secret.
func (w *wire) holdEnd() {
	defer close(w.told)
	w.failed.Store(true) // for whoever wants to begin something
	select {
	case <-w.closed:
		return
	default:
	}
	w.mu.Lock()
	open, judged := w.open, make(chan struct{})
	w.judged = judged
	close(w.held)
	w.mu.Unlock()
	if open == 0 {
		return
	}
	patience := time.NewTimer(w.hold)
	defer patience.Stop()
	select {
	case <-judged:
	case <-patience.C:
	case <-w.closed:
	}
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

// letEnd gives the channels of a connection that the device has ended the time
// to be judged.
func (l *link) letEnd() {
	select {
	case <-l.wire.held:
		<-l.wire.told
	default:
	}
}

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
// Many devices drop the connection together with its one channel. While wire
// holds that end back SSH is still reading, so a channel that has ended by then
// was closed by the device: no packet is left behind which could have ended it.
//
// BUG(session): a device that sends SSH_MSG_DISCONNECT in the same moment in
// which it closes its one exec channel cannot be told from one that broke off:
// x/crypto stops to read at that message. It needs a shell.
func (l *link) closedInOrder(ctx context.Context, status bool) bool {
	if status && l.wire.settled(settleTime) {
		return true
	}
	if l.dead() { // a write has failed, so a read is about to
		select {
		case <-l.wire.held:
			return l.wire.settled(0)
		case <-l.wire.closed:
		case <-time.After(settleTime):
		}
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
	case <-l.wire.held:
		return l.wire.settled(0)
	case <-ctx.Done():
	case <-patience.C:
	}
	return false
}

// settleTime is how long the bytes that have come may take to be handled.
const settleTime = 100 * time.Millisecond

// answerTime is how long a connection has to answer for itself.
const answerTime = 30 * time.Second

// holdTime is how long the end of a connection is held back at most.
const holdTime = time.Second
