// Package serve is the vendor's side of a plugin: it turns a driver into a
// process that cfgvault can start.
//
//	func main() { os.Exit(serve.Main(acme.New())) }
//
// is the whole main of a plugin; build it as cfgvault-plugin-NAME, where NAME
// is the name in the driver's Info.
//
// The process has an empty environment and no standard input. Standard output
// belongs to the protocol: whatever a driver prints there or on standard error
// goes to the agent's debug log and nowhere else. The process ends when the
// agent does. This package does not talk to devices and does not look at what
// passes through it.
package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/internal/wire"
)

// Main serves the driver until the agent goes away and returns the exit status
// for os.Exit: 0, or 2 with a message on standard error when the program was
// started by hand.
func Main(d plugins.Driver) int {
	if os.Getenv(wire.CookieKey) != wire.CookieValue {
		info := d.Info()
		fmt.Fprintf(os.Stderr, `This is the cfgvault driver %q (%s, version %s).
It is a plugin and does nothing by itself: cfgvault starts it.

  Put it into cfgvault's plugin directory as cfgvault-plugin-%s, then pin and try it:
    cfgvault plugin trust %s
    cfgvault plugin info %s
`, info.Name, info.Platform, info.Version, info.Name, info.Name, info.Name)
		return 2
	}
	if err := handOverStdout(); err != nil {
		fmt.Fprintf(os.Stderr, "prepare standard output: %v\n", err)
		return 1
	}
	s := &served{Served: wire.Serve(d)}
	go s.watch()
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: wire.Handshake(),
		Plugins:         plugin.PluginSet{wire.PluginName: s},
		Logger:          hclog.New(&hclog.LoggerOptions{Level: hclog.Error, Output: os.Stderr}),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			srv := grpc.NewServer(append(opts, s.ServerOptions()...)...)
			s.mu.Lock()
			s.srv = srv
			s.mu.Unlock()
			return srv
		},
	})
	return 0
}

// Serve is Main for a program that has nothing left to do afterwards; it does
// not return.
func Serve(d plugins.Driver) { os.Exit(Main(d)) }

// served makes a driver a plugin of go-plugin.
type served struct {
	plugin.NetRPCUnsupportedPlugin
	*wire.Served
	mu  sync.Mutex
	srv *grpc.Server
}

var _ plugin.GRPCPlugin = (*served)(nil)

// GRPCServer registers the driver. The environment has been read by now; what
// is left of it (certificates, paths) is none of the driver's business.
func (s *served) GRPCServer(b *plugin.GRPCBroker, srv *grpc.Server) error {
	os.Clearenv()
	s.Register(srv, func(id uint32) (*grpc.ClientConn, error) {
		return b.DialWithOptions(id, wire.DialOptions()...)
	})
	return nil
}

// GRPCClient is the agent's half and not here.
func (s *served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin does not start plugins")
}

// watch stops the server when the agent is gone, whichever way it went.
func (s *served) watch() {
	<-s.Gone()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.srv != nil {
		s.srv.Stop()
	}
}
