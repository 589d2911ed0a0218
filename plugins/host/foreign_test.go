package host_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/plugins/internal/wire"
)

// foreign is a plugin that was written from PROTOCOL.md alone: of cfgvault it
// uses the generated messages and of go-plugin nothing. It has what the page
// calls needed and no more.
type foreign struct {
	wire.UnimplementedDriverServer
	creds  credentials.TransportCredentials // towards the agent
	listen chan string                      // where the agent listens, by the broker
	agent  wire.SessionsClient
}

func serveForeign() {
	if err := foreignMain(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func foreignMain() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(240 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(os.Getenv("PLUGIN_CLIENT_CERT"))) {
		return errors.New("no certificate of the agent")
	}
	mine := []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	path := os.Getenv("PLUGIN_UNIX_SOCKET_DIR") + "/foreign"
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	f := &foreign{
		creds:  credentials.NewTLS(&tls.Config{Certificates: mine, RootCAs: pool, ServerName: "localhost"}),
		listen: make(chan string, 1),
	}
	srv := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: mine, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool})))
	wire.RegisterDriverServer(srv, f)
	srv.RegisterService(&grpc.ServiceDesc{
		ServiceName: "plugin.GRPCBroker", HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{StreamName: "StartStream", ServerStreams: true, ClientStreams: true, Handler: f.broker}},
	}, f)
	fmt.Printf("1|1|unix|%s|grpc|%s\n", path, base64.RawStdEncoding.EncodeToString(der))
	return srv.Serve(l)
}

// broker keeps the one address that the agent sends.
func (f *foreign) broker(_ any, st grpc.ServerStream) error {
	for {
		var m emptypb.Empty // ConnInfo, as fields that it does not know
		if err := st.RecvMsg(&m); err != nil {
			return nil
		}
		for b := m.ProtoReflect().GetUnknown(); len(b) > 0; {
			num, typ, n := protowire.ConsumeTag(b)
			b = b[n:]
			if num == 3 && typ == protowire.BytesType {
				addr, _ := protowire.ConsumeString(b)
				f.listen <- addr
			}
			b = b[protowire.ConsumeFieldValue(num, typ, b):]
		}
	}
}

func (f *foreign) Start(ctx context.Context, _ *wire.StartRequest) (*wire.StartReply, error) {
	var addr string
	select {
	case addr = <-f.listen:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	conn, err := grpc.NewClient("unix:"+addr, grpc.WithTransportCredentials(f.creds))
	if err != nil {
		return nil, err
	}
	f.agent = wire.NewSessionsClient(conn)
	return &wire.StartReply{Info: &wire.Info{Name: "foreign", Version: "0.1"}}, nil
}

func (f *foreign) Identify(ctx context.Context, r *wire.IdentifyRequest) (*wire.Facts, error) {
	switch r.GetSession().GetOptions()["do"] {
	case "pid":
		return nil, fmt.Errorf("pid %d", os.Getpid())
	case "unknown":
		return nil, status.Error(codes.Unknown, "ValueError: 42")
	case "panic":
		return nil, status.Error(codes.Internal, "the driver panicked")
	case "deadline":
		return nil, status.Error(codes.DeadlineExceeded, "too late")
	case "unimplemented":
		return nil, status.Error(codes.Unimplemented, "not yet")
	}
	st, err := f.agent.Run(ctx)
	if err != nil {
		return nil, err
	}
	st.Send(&wire.RunRequest{Session: r.GetSession().GetHandle(), Command: &wire.Command{Text: []byte("show version")}})
	st.CloseSend()
	var out []byte
	for {
		m, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return &wire.Facts{Model: string(out)}, nil
		}
		if err != nil {
			return nil, err // with its details, as it came
		}
		out = append(out, m.GetStdout()...)
	}
}

// PROTOCOL.md suffices to write a plugin.
func TestForeignPlugin(t *testing.T) {
	h := newHost(t, host.Options{Builtin: []string{"foreign"}, Grace: 200 * time.Millisecond})
	d := shared(t, h, "foreign")
	f, err := d.Identify(t.Context(), &device{})
	if err != nil || f.Model != "answer to show version" {
		t.Errorf("%+v, %v", f, err)
	}
	_, err = d.Identify(t.Context(), &device{run: func(context.Context, plugins.Command) (plugins.Output, error) {
		return plugins.Output{}, fmt.Errorf("x: %w", plugins.ErrBusy)
	}})
	if !errors.Is(err, plugins.ErrBusy) || err.Error() != "x: "+plugins.ErrBusy.Error() {
		t.Errorf("an error that was passed on: %v", err)
	}
	if _, err := d.Identify(t.Context(), doing("unknown")); err == nil || err.Error() != "ValueError: 42" || errors.Is(err, host.ErrPlugin) {
		t.Errorf("an exception: %v", err)
	}
	if _, err := d.Identify(t.Context(), doing("deadline")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deadline: %v", err)
	}
	for _, what := range []string{"panic", "unimplemented"} {
		if _, err := d.Identify(t.Context(), doing(what)); !errors.Is(err, host.ErrPlugin) || !strings.Contains(err.Error(), "driver foreign") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := d.Identify(t.Context(), &device{}); err != nil {
		t.Errorf("a fresh process: %v", err)
	}
	// It knows no Cancel, so it pays with its process.
	slow := &device{run: func(ctx context.Context, _ plugins.Command) (plugins.Output, error) {
		<-ctx.Done()
		return plugins.Output{}, ctx.Err()
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := d.Identify(ctx, slow); !errors.Is(err, host.ErrPlugin) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without Cancel: %v", err)
	}
	if _, err := d.Identify(t.Context(), &device{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
