// Package agent does what cfgvault is for: it backs devices up and puts their
// configuration back. It is the only package that knows all the others:
// inventory, sessions, plugins, schemas and the vault.
//
// It owns every connection and every secret; drivers run in processes of their
// own and get sessions. It prints nothing: results, plans and events go to the
// caller.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"filippo.io/age"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/host"
	"github.com/cfgvault/cfgvault/vault"
)

// Options say where an agent works and with what.
type Options struct {
	Home       Home
	Identity   string // path of the identity file; empty: the home's
	Executable string // cfgvault's own binary, which runs the built-in drivers
	Builtin    []string
	Ask        vault.Ask                                    // asks the operator for a passphrase or PIN; nil: nobody to ask
	Twin       func(context.Context, TwinOf) (*Twin, error) // makes a simulated unit to rehearse on; nil: there is none
	Log        *slog.Logger
	Now        func() time.Time // nil: time.Now
}

// Agent works for one home. It is safe for concurrent use.
type Agent struct {
	Home      Home
	Config    Config
	Inventory *inventory.Inventory

	opts  Options
	log   *slog.Logger
	now   func() time.Time
	host  *host.Host
	vault *vault.Vault

	shells session.Shells
	textMu sync.Mutex
	texts  map[string]*plugins.Text
}

// Open reads the home and opens its vault. ErrNoVault if there is none.
func Open(ctx context.Context, o Options) (*Agent, error) {
	a, err := OpenOffline(o)
	if err != nil {
		return nil, err
	}
	if err := a.openVault(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// OpenIndexed is Open and Index, the one beside the other: a large inventory and
// a large vault each take as long to read. An index that does not verify is
// returned with its error, beside the agent.
func OpenIndexed(ctx context.Context, o Options) (*Agent, *vault.Index, error) {
	type loaded struct {
		inv *inventory.Inventory
		err error
	}
	inv := make(chan loaded, 1)
	go func() {
		i, err := inventory.Load(o.Home.Inventory())
		inv <- loaded{i, err}
	}()
	a, err := prepare(o)
	var x *vault.Index
	var indexErr error
	if err == nil {
		if err = a.openVault(ctx); err == nil {
			x, indexErr = a.Index(ctx)
		}
	}
	got := <-inv
	if err == nil || got.err != nil {
		err = got.err // what Open would have found first
	}
	if err != nil {
		if a != nil {
			a.Close()
		}
		return nil, nil, err
	}
	a.Inventory = got.inv
	return a, x, indexErr
}

// OpenOffline reads the inventory and starts no store: for commands that only
// need drivers and devices. A home without a vault will do.
func OpenOffline(o Options) (*Agent, error) {
	inv, err := inventory.Load(o.Home.Inventory())
	if err != nil {
		return nil, err
	}
	a, err := prepare(o)
	if err != nil {
		return nil, err
	}
	a.Inventory = inv
	return a, nil
}

// prepare makes an agent that has read nothing yet.
func prepare(o Options) (*Agent, error) {
	a := &Agent{Home: o.Home, opts: o, log: o.Log, now: o.Now, texts: map[string]*plugins.Text{}}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	var err error
	// Its sockets lie in the system's folder for temporary files: their paths are
	// at most 107 bytes, and a home may be deeper.
	a.host, err = host.New(host.Options{
		Executable: o.Executable, Builtin: o.Builtin,
		Dir: o.Home.Plugins(), Profiles: o.Home.Profiles(), Lock: o.Home.PluginsLock(),
		Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Agent) openVault(ctx context.Context) error {
	var err error
	if a.Config, err = a.Home.LoadConfig(); err != nil {
		return err
	}
	store, err := OpenStore(ctx, a.Config)
	if err != nil {
		return err
	}
	a.vault, err = vault.Open(ctx, vault.Config{Dir: a.Home.Vault(), Store: store, Now: a.now})
	if errors.Is(err, ErrNoVault) {
		return fmt.Errorf("%w; `cfgvault init` makes one, `cfgvault recover` rebuilds it", err)
	}
	return err
}

// Close ends all plugins. It waits for them.
func (a *Agent) Close() error {
	if a.host == nil {
		return nil
	}
	return a.host.Close()
}

// Vault is the open vault; nil after OpenOffline.
func (a *Agent) Vault() *vault.Vault { return a.vault }

// Host runs the plugins.
func (a *Agent) Host() *host.Host { return a.host }

// text returns the driver's line rules, compiled once.
func (a *Agent) text(info plugins.Info) (*plugins.Text, error) {
	a.textMu.Lock()
	defer a.textMu.Unlock()
	key := info.Name + " " + info.Version
	if t := a.texts[key]; t != nil {
		return t, nil
	}
	t, err := plugins.NewText(info)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", host.ErrPlugin, err)
	}
	a.texts[key] = t
	return t, nil
}

// Identities reads the operator's identity file. ErrNoIdentity of the vault if
// it is not there or cannot be read.
func (a *Agent) Identities() ([]age.Identity, error) {
	path := a.opts.Identity
	if path == "" {
		path = a.Home.Identity()
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; name one with -i", vault.ErrNoIdentity, err)
	}
	ids, err := vault.ParseIdentities(data, a.opts.Ask)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", vault.ErrNoIdentity, path, err)
	}
	return ids, nil
}
