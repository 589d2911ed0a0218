// Package wire carries the contract of package plugins across a process
// boundary: the messages of cfgvault_plugin.proto, the conversions to and from the Go
// types, the plugin's side of a driver (served) and of a session (called), and
// the agent's side of both.
//
// It moves bytes and keeps errors' identity. It does not start processes,
// judge replies beyond what the protocol says, retry or log: that is
// plugins/host.
package wire

//go:generate protoc -I . --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative cfgvault_plugin.proto

import (
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// The version of the protocol and the name under which the driver is
// registered. The version changes only when an old plugin could misunderstand
// a new agent; everything else is a capability in Info or a new field.
const (
	ProtocolVersion = 1
	PluginName      = "driver"
)

// CookieKey and CookieValue tell a plugin that it was started by an agent and
// not by hand. They are no secret and protect nothing.
const (
	CookieKey   = "CFGVAULT_PLUGIN"
	CookieValue = "d0b1f6a5-driver"
)

// Headers of every call of the Driver service except Start and Cancel.
const (
	CallHeader    = "cfgvault-call"    // id for Cancel
	TimeoutHeader = "cfgvault-timeout" // milliseconds until the caller's deadline; absent without one
)

// Bounds of the protocol.
const (
	Chunk      = 256 << 10 // largest piece of data in one message
	maxMessage = 1 << 20   // largest message either side accepts
	window     = 1 << 20   // bytes in flight per stream before the sender waits

	// MaxReply bounds what a plugin may send in answer to one call, and what
	// it may send as the input of one command.
	MaxReply = 256 << 20
	// MaxArtefacts bounds the artefacts of one call.
	MaxArtefacts = 1000

	maxText     = 4 << 10  // an error's text
	maxRejected = 16 << 10 // a device's own words in a RejectedError
	maxItem     = 16 << 10 // one text in a list: a loss, a step, a section
	maxOpen     = 32       // command lines and streams that one session has open at once
	maxStreams  = 1024     // calls that one process has open at the agent
)

// Handshake returns what both sides agree on before they speak gRPC.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{
		ProtocolVersion:  ProtocolVersion,
		MagicCookieKey:   CookieKey,
		MagicCookieValue: CookieValue,
	}
}

// ServerOptions bound what a gRPC server of either side accepts.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxSendMsgSize(maxMessage),
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(8 * window),
		grpc.MaxConcurrentStreams(maxStreams),
	}
}

// DialOptions bound what a gRPC client of either side accepts. A connection is
// never put to rest: its end is how a plugin learns that the agent is gone.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithInitialWindowSize(window),
		grpc.WithInitialConnWindowSize(8 * window),
		grpc.WithIdleTimeout(0),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
	}
}
