package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
)

// proxy is the agent's side of an HTTP or gRPC stream. Drivers speak HTTP/1.1
// or HTTP/2 without TLS to it; it speaks to the one service of the one device,
// whatever host a request names, and adds the credential there. What a driver
// sends as Authorization is dropped where the inventory has a credential.
type proxy struct {
	server *http.Server
	accept *pipeListener
	up     *http.Transport
}

func (p *proxy) close() {
	_ = p.server.Close()
	p.up.CloseIdleConnections()
}

// openProxy connects a driver to the proxy.
func (v *service) openProxy() (net.Conn, error) {
	v.once.Do(func() { v.proxy = newProxy(v) })
	ours, theirs := net.Pipe()
	if err := v.s.keep(v.proxy); err != nil {
		return nil, err
	}
	select {
	case v.proxy.accept.conns <- ours:
	case <-v.proxy.accept.closed:
		return nil, v.s.errClosed()
	}
	t := &tracked{Conn: theirs, s: v.s}
	if err := v.s.keep(t); err != nil {
		return nil, err
	}
	return t, nil
}

func newProxy(v *service) *proxy {
	alpn := []string{"http/1.1"}
	up := &http.Transport{
		DisableCompression:     true, // bytes go through as they are
		MaxResponseHeaderBytes: 1 << 20,
		IdleConnTimeout:        30 * time.Second,
		Protocols:              new(http.Protocols),
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return v.dial(ctx, alpn) }
	up.DialContext, up.DialTLSContext = dial, dial
	switch {
	case v.name != "grpc":
		up.Protocols.SetHTTP1(true)
	case v.sv.Scheme == "https":
		alpn = []string{"h2"}
		up.Protocols.SetHTTP2(true)
	default:
		up.Protocols.SetUnencryptedHTTP2(true)
	}
	host := net.JoinHostPort(v.s.dialer.t.Host, strconv.Itoa(v.sv.Port))
	if v.sv.Scheme == "http" && v.sv.Port == 80 || v.sv.Scheme == "https" && v.sv.Port == 443 {
		host = strings.TrimSuffix(host, ":"+strconv.Itoa(v.sv.Port))
	}
	limit := v.s.t.maxOutput()
	rp := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = v.sv.Scheme, host, host
		},
		Transport:     credentials(v.sv.Credential, up, limit),
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ModifyResponse: func(r *http.Response) error {
			if v.name == "grpc" {
				statusAsTrailer(r)
			} else if r.StatusCode != http.StatusSwitchingProtocols {
				if r.ContentLength > limit {
					return fmt.Errorf("%w: more than %d bytes", plugins.ErrTooLarge, limit)
				}
				r.Body = &boundedBody{ReadCloser: r.Body, left: limit}
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, v.reason(err)+"\n")
		},
	}
	p := &proxy{accept: &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}, up: up}
	p.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// TRACE would echo the credential, CONNECT leads elsewhere.
			if r.Method == http.MethodTrace || r.Method == http.MethodConnect {
				http.Error(w, "the agent does not pass "+r.Method, http.StatusMethodNotAllowed)
				return
			}
			rp.ServeHTTP(w, r)
		}),
		Protocols:         new(http.Protocols),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	p.server.Protocols.SetHTTP1(true)
	p.server.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = p.server.Serve(p.accept) }()
	return p
}

// statusAsTrailer rewrites a gRPC response that is nothing but trailers, in the
// place of headers, into headers and trailers. The proxy may send the headers
// before it knows that no body follows, and a client takes a status there only
// if they end the stream.
func statusAsTrailer(r *http.Response) {
	if r.Header.Get("Grpc-Status") == "" {
		return
	}
	if r.Trailer == nil {
		r.Trailer = http.Header{}
	}
	for _, k := range []string{"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin"} {
		if v, ok := r.Header[k]; ok {
			r.Trailer[k] = v
			r.Header.Del(k)
		}
	}
}

// reason tells a driver why there is no answer, without an address.
func (v *service) reason(err error) string {
	if c, ok := errors.AsType[*CertError](err); ok {
		return c.Error()
	}
	if errors.Is(err, plugins.ErrTooLarge) {
		return err.Error()
	}
	text := fmt.Sprintf("%v: service %s", ErrUnreachable, v.name)
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		text += ": " + printable(op.Err.Error())
	}
	return text
}

// boundedBody fails once more than left bytes came.
type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, plugins.ErrTooLarge
	}
	return n, err
}

// pipeListener hands the server's ends of pipes to it.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return streamAddr("proxy") }
