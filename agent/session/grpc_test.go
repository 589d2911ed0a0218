package session

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/cfgvault/cfgvault/agent/secret"
)

// A gRPC client of a driver: unary calls, a stream that stays open, trailers,
// and a credential in the metadata that only the device sees.
func TestGRPC(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	password := ""
	check := func(ctx context.Context) {
		md, _ := metadata.FromIncomingContext(ctx)
		mu.Lock()
		defer mu.Unlock()
		if v := md.Get("password"); len(v) == 1 {
			password = v[0]
		}
	}
	srv := grpc.NewServer(
		grpc.UnaryInterceptor(func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
			check(ctx)
			return h(ctx, r)
		}),
		grpc.StreamInterceptor(func(s any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) error {
			check(ss.Context())
			return h(s, ss)
		}))
	hs := health.NewServer()
	grpc_health_v1.RegisterHealthServer(srv, hs)
	done := make(chan struct{})
	go func() { _ = srv.Serve(ln); close(done) }()
	defer func() { srv.Stop(); <-done }()

	s := dial(t, Target{Device: "leaf1", Host: "127.0.0.1", Services: map[string]Service{"grpc": {
		Port: ln.Addr().(*net.TCPAddr).Port, Scheme: "http",
		Credential: Credential{Kind: CredentialMetadata, Metadata: map[string]secret.Value{"password": secret.New(canary)}},
	}}}, iotInfo)
	conn, err := grpc.NewClient("passthrough:device", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return s.Open(ctx, "grpc", "") }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := grpc_health_v1.NewHealthClient(conn)
	ctx := within(t, 20*time.Second)
	got, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil || got.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Fatalf("%v %v", got, err)
	}
	for range 100 {
		// An answer without a body.
		if _, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "none"}); status.Code(err) != codes.NotFound {
			t.Fatalf("a status in the trailers: %v", err)
		}
	}
	w, err := client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Recv(); err != nil {
		t.Fatal(err)
	}
	hs.SetServingStatus("", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	if m, err := w.Recv(); err != nil || m.Status != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("the stream: %v %v", m, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if password != canary {
		t.Error("the device did not get the credential")
	}
}
