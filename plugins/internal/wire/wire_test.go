package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/cfgvault/cfgvault/plugins"
)

// connect serves what register registers and returns a client connection.
func connect(t *testing.T, register func(*grpc.Server)) *grpc.ClientConn {
	t.Helper()
	l := bufconn.Listen(1 << 20)
	srv := grpc.NewServer(append(ServerOptions(), grpc.WaitForHandlers(true))...)
	register(srv)
	go srv.Serve(l)
	conn, err := grpc.NewClient("passthrough:x", append(DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		srv.Stop()
	})
	return conn
}

// device is a session whose parts a test replaces.
type device struct {
	open func() (net.Conn, error)
	run  func(ctx context.Context) (plugins.Output, error)
	mu   sync.Mutex
	clis int
}

func (d *device) ID() string                 { return "dev" }
func (d *device) Options() map[string]string { return nil }
func (d *device) Run(ctx context.Context, c plugins.Command) (plugins.Output, error) {
	if d.run != nil {
		return d.run(ctx)
	}
	return plugins.Output{Stdout: c.Input, End: plugins.EndClosed}, nil
}
func (d *device) CLI(ctx context.Context) (plugins.CLI, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clis++
	return &login{d, ctx}, nil
}
func (d *device) Open(context.Context, string, string) (net.Conn, error) { return d.open() }

type login struct {
	d   *device
	ctx context.Context
}

func (l *login) Run(context.Context, plugins.Command) (plugins.Output, error) {
	return plugins.Output{End: plugins.EndSentinel}, l.ctx.Err()
}
func (l *login) Close() error {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	l.d.clis--
	return nil
}

func (d *device) logins() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clis
}

// session returns a driver's view of d across a connection.
func session(t *testing.T, d plugins.Session) (s *remoteSession, table *Sessions, remove func()) {
	t.Helper()
	table = NewSessions()
	c := connect(t, func(srv *grpc.Server) { RegisterSessionsServer(srv, table) })
	ref, remove := table.Add(d)
	return &remoteSession{agent: NewSessionsClient(c), handle: ref.GetHandle(), id: ref.GetId()}, table, remove
}

func tcpPair(t *testing.T) (*net.TCPConn, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

// opened returns the driver's end of a stream and the device's.
func opened(t *testing.T) (net.Conn, *net.TCPConn) {
	t.Helper()
	agents, devices := tcpPair(t)
	s, _, _ := session(t, &device{open: func() (net.Conn, error) { return agents, nil }})
	c, err := s.Open(t.Context(), "http", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, devices
}

func TestConnDeadlines(t *testing.T) {
	c, dev := opened(t)
	var p [16]byte
	c.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := c.Read(p[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a deadline in the past: %v", err)
	}
	// A deadline that is set while a Read waits ends it.
	c.SetReadDeadline(time.Time{})
	got := make(chan error, 1)
	go func() { _, err := c.Read(p[:]); got <- err }()
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a deadline during Read: %v", err)
	}
	// Nothing is lost by it.
	dev.Write([]byte("late"))
	c.SetReadDeadline(time.Time{})
	if n, err := io.ReadFull(c, p[:4]); err != nil || string(p[:n]) != "late" {
		t.Errorf("%q %v", p[:n], err)
	}
	// A Write that the device does not take ends at its deadline, and so does
	// the stream.
	c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	_, err := c.Write(make([]byte, 64<<20))
	if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
		t.Errorf("a full stream: %v", err)
	}
}

func TestConnHalfClose(t *testing.T) {
	c, dev := opened(t)
	dev.Write([]byte("first"))
	dev.CloseWrite()
	if all, err := io.ReadAll(c); err != nil || string(all) != "first" {
		t.Errorf("%q %v", all, err)
	}
	// The device has ended its side; ours goes on.
	if _, err := c.Write([]byte("second")); err != nil {
		t.Error(err)
	}
	c.(interface{ CloseWrite() error }).CloseWrite()
	if all, err := io.ReadAll(dev); err != nil || string(all) != "second" {
		t.Errorf("%q %v", all, err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after CloseWrite: %v", err)
	}
	c.Close()
	c.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestConnCloseReachesTheDevice(t *testing.T) {
	c, dev := opened(t)
	c.Close()
	dev.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := dev.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the device sees %v", err)
	}
}

// A device that stops taking input and then ends in order must not look like
// one that took everything.
func TestConnLostInput(t *testing.T) {
	a, b := net.Pipe()
	refusing := &refuser{Conn: a, refused: make(chan struct{})}
	s, _, _ := session(t, &device{open: func() (net.Conn, error) { return refusing, nil }})
	c, err := s.Open(t.Context(), "exec", "cat > x")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("config")); err != nil {
		t.Fatal(err)
	}
	<-refusing.refused
	go func() { b.Write([]byte("out")); b.Close() }()
	all, err := io.ReadAll(c)
	if string(all) != "out" || err == nil {
		t.Errorf("read %q, %v", all, err)
	}
}

type refuser struct {
	net.Conn
	refused chan struct{}
}

func (r *refuser) Write([]byte) (int, error) {
	defer close(r.refused)
	return 0, &net.OpError{Op: "write", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7)}, Err: errors.New("broken pipe")}
}

func TestErrorsHideAddresses(t *testing.T) {
	err := connError(&net.OpError{Op: "read", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7)}, Err: errors.New("reset")})
	if strings.Contains(err.Error(), "192.0.2.7") || !errors.Is(err, plugins.ErrSessionLost) {
		t.Error(err)
	}
	mine := fmt.Errorf("exit status 3")
	if connError(mine) != mine {
		t.Error("the session's own error was changed")
	}
}

// One Read or Write is one datagram, whatever its size, both ways.
func TestConnDatagrams(t *testing.T) {
	a, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := net.DialUDP("udp", nil, a.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	s, _, _ := session(t, &device{open: func() (net.Conn, error) { return b, nil }})
	c, err := s.Open(t.Context(), "coap", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 65536)
	a.SetDeadline(time.Now().Add(10 * time.Second))
	for _, n := range []int{1, 0, 1400, 60000} {
		want := bytes.Repeat([]byte{byte(n)}, n)
		if _, err := c.Write(want); err != nil {
			t.Fatal(err)
		}
		got, from, err := a.ReadFromUDP(buf)
		if err != nil || !bytes.Equal(buf[:got], want) {
			t.Fatalf("out: %d of %d bytes, %v", got, n, err)
		}
		if _, err := a.WriteToUDP(want, from); err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		got, err = c.Read(buf)
		if err != nil || !bytes.Equal(buf[:got], want) {
			t.Fatalf("in: %d of %d bytes, %v", got, n, err)
		}
	}
	// What does not fit is gone, as with UDP.
	c.Write([]byte("abcdef"))
	_, from, _ := a.ReadFromUDP(buf)
	a.WriteToUDP([]byte("abcdef"), from)
	a.WriteToUDP([]byte("next"), from)
	if n, err := c.Read(buf[:3]); err != nil || string(buf[:n]) != "abc" {
		t.Errorf("%q %v", buf[:n], err)
	}
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != "next" {
		t.Errorf("%q %v", buf[:n], err)
	}
}

// A driver that does not read costs the agent a window, not the whole answer.
func TestOpenIsBounded(t *testing.T) {
	c, dev := opened(t)
	dev.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
	var sent int
	for chunk := make([]byte, 1<<20); sent < 256<<20; {
		n, err := dev.Write(chunk)
		sent += n
		if err != nil {
			break
		}
	}
	if sent > 32<<20 {
		t.Errorf("%d MiB were taken that nobody reads", sent>>20)
	}
	runtime.KeepAlive(c)
}

func TestHandles(t *testing.T) {
	began := make(chan struct{})
	d := &device{run: func(ctx context.Context) (plugins.Output, error) {
		close(began)
		<-ctx.Done()
		return plugins.Output{}, ctx.Err()
	}}
	a, b := net.Pipe()
	d.open = func() (net.Conn, error) { return a, nil }
	s, table, remove := session(t, d)
	other, _ := table.Add(d)
	if other.GetHandle() == s.handle || len(s.handle) < 26 {
		t.Errorf("handles %q and %q", s.handle, other.GetHandle())
	}
	c, err := s.CLI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(t.Context(), plugins.Command{}); err != nil {
		t.Errorf("the command line ended with the call that opened it: %v", err)
	}
	stream, err := s.Open(t.Context(), "x", "")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	ran := make(chan error, 1)
	go func() { _, err := s.Run(context.Background(), plugins.Command{Text: "long"}); ran <- err }()
	<-began
	remove()
	if err := <-ran; !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("a command in flight: %v", err)
	}
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the stream is open: %v", err)
	}
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("reading the stream: %v", err)
	}
	if d.logins() != 0 {
		t.Errorf("%d command lines are open", d.logins())
	}
	forged := &remoteSession{agent: s.agent, handle: "AAAAAAAAAAAAAAAAAAAAAAAAAA"}
	for _, s := range []*remoteSession{s, forged, {agent: s.agent}} {
		_, runErr := s.Run(t.Context(), plugins.Command{})
		_, cliErr := s.CLI(t.Context())
		_, openErr := s.Open(t.Context(), "x", "")
		for i, err := range []error{runErr, cliErr, openErr} {
			if !errors.Is(err, plugins.ErrSessionLost) {
				t.Errorf("%d with handle %q: %v", i, s.handle, err)
			}
		}
	}
	// A command line belongs to its session.
	third := &remoteSession{agent: s.agent, handle: other.GetHandle()}
	if _, err := third.run(t.Context(), 1, plugins.Command{}); !errors.Is(err, plugins.ErrSessionLost) {
		t.Errorf("a command line of another session: %v", err)
	}
}

func TestOpenThingsAreCounted(t *testing.T) {
	d := &device{}
	s, _, _ := session(t, d)
	var clis []plugins.CLI
	for range maxOpen {
		c, err := s.CLI(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		clis = append(clis, c)
	}
	if _, err := s.CLI(t.Context()); err == nil || !strings.Contains(err.Error(), "close some") {
		t.Errorf("one too many: %v", err)
	}
	clis[0].Close()
	if _, err := s.CLI(t.Context()); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
}

func TestRunPassesEverything(t *testing.T) {
	exit := 3
	for _, want := range []plugins.Output{
		{End: plugins.EndClosed},
		{Stdout: []byte("a\xff\x00"), Stderr: []byte("b"), Exit: &exit, End: plugins.EndStatus},
		{Stdout: bytes.Repeat([]byte("x"), 3*Chunk+1), Stderr: bytes.Repeat([]byte("y"), 2*Chunk), End: plugins.EndCut},
		{Stderr: bytes.Repeat([]byte("y"), 2*Chunk), End: plugins.EndSentinel},
	} {
		for _, wantErr := range []error{nil, plugins.ErrSessionLost} {
			s, _, _ := session(t, &device{run: func(context.Context) (plugins.Output, error) { return want, wantErr }})
			got, err := s.Run(t.Context(), plugins.Command{})
			if !errors.Is(err, wantErr) || !bytes.Equal(got.Stdout, want.Stdout) || !bytes.Equal(got.Stderr, want.Stderr) || got.End != want.End ||
				(got.Exit == nil) != (want.Exit == nil) || (got.Exit != nil && *got.Exit != exit) {
				t.Errorf("got %d+%d bytes %v %s %v", len(got.Stdout), len(got.Stderr), got.Exit, got.End, err)
			}
		}
	}
	for _, in := range [][]byte{nil, {}, []byte("x"), bytes.Repeat([]byte("z"), 2*Chunk+7)} {
		s, _, _ := session(t, inputEcho{&device{}, t, in})
		if _, err := s.Run(t.Context(), plugins.Command{Input: in}); err != nil {
			t.Error(err)
		}
	}
}

type inputEcho struct {
	*device
	t    *testing.T
	want []byte
}

func (d inputEcho) Run(_ context.Context, c plugins.Command) (plugins.Output, error) {
	if !bytes.Equal(c.Input, d.want) || (c.Input == nil) != (d.want == nil) {
		d.t.Errorf("input of %d bytes (nil: %v), want %d", len(c.Input), c.Input == nil, len(d.want))
	}
	return plugins.Output{End: plugins.EndClosed}, nil
}

func TestRunHeedsItsContext(t *testing.T) {
	ended := make(chan struct{})
	s, _, _ := session(t, &device{run: func(ctx context.Context) (plugins.Output, error) {
		<-ctx.Done()
		close(ended)
		return plugins.Output{}, ctx.Err()
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := s.Run(ctx, plugins.Command{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	<-ended // the agent's side stops too
}
