package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cfgvault/cfgvault/agent"
	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/dir"
)

const vaultDevices = 10000

// counting is a store that counts its requests.
type counting struct {
	vault.Store
	requests *atomic.Int64
}

func (c counting) Put(ctx context.Context, key string, data []byte) error {
	c.requests.Add(1)
	return c.Store.Put(ctx, key, data)
}

func (c counting) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	c.requests.Add(1)
	return c.Store.Get(ctx, key, limit)
}

func (c counting) List(ctx context.Context, prefix string) iter.Seq2[vault.Object, error] {
	c.requests.Add(1)
	return c.Store.List(ctx, prefix)
}

// vault: the nights of a large fleet as the vault alone sees them, beside
// restic's of the same texts in files, then what an operator does in that vault.
func (b *bench) vault(ctx context.Context) error {
	in, err := b.home("vault")
	if err != nil {
		return err
	}
	store, err := dir.Open(filepath.Join(b.dir, "vault-store"))
	if err != nil {
		return err
	}
	var requests atomic.Int64
	c := vault.Config{Dir: filepath.Join(in.dir, "vault"), Store: counting{store, &requests}}
	texts := make([][]byte, vaultDevices)
	var inventory strings.Builder
	inventory.WriteString("devices:\n")
	for i := range texts {
		texts[i] = configText(i, 0)
		fmt.Fprintf(&inventory, "  r%05d: {id: \"%s\", driver: frr, address: 192.0.2.1, user: bench}\n", i, vaultDevice(i))
	}
	if err := os.WriteFile(filepath.Join(in.dir, "devices.yaml"), []byte(inventory.String()), 0o600); err != nil {
		return err
	}
	peer, err := newRestic(filepath.Join(b.dir, "restic"))
	if err != nil {
		return err
	}
	if err := peer.write(texts, 1); err != nil {
		return err
	}
	for _, n := range []struct{ name, budget string }{{"first", "15 s"}, {"unchanged", "2 s"}, {"5 % changed", "3 s"}} {
		if n.name == "5 % changed" {
			for i := 0; i < len(texts); i += 20 {
				texts[i] = configText(i, 1)
			}
			if err := peer.write(texts, 20); err != nil {
				return err
			}
		}
		theirs, err := timed(peer.night)
		if err != nil {
			return err
		}
		requests.Store(0)
		took, err := timed(func() error { return night(ctx, c, texts) })
		if err != nil {
			return err
		}
		b.line("vault, 10,000 devices, "+n.name+" / restic", took, theirs, n.budget)
		if n.name == "unchanged" {
			b.count("    store requests of that night", requests.Load(), "12")
		}
	}
	if err := rehearsals(ctx, c); err != nil {
		return err
	}
	return b.operator(ctx, in, c, func() error { return peer.restore(4711, texts[4711]) })
}

// rehearsals writes a receipt for each device, as a night of rehearsals does:
// what an operator reads in a vault that is in use.
func rehearsals(ctx context.Context, c vault.Config) error {
	v, err := vault.Open(ctx, c)
	if err != nil {
		return err
	}
	x, err := v.Index(ctx)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(64)
	for i := range vaultDevices {
		e, ok := x.Latest(vaultDevice(i))
		if !ok {
			return fmt.Errorf("no snapshot of %s", vaultDevice(i))
		}
		g.Go(func() error {
			now := time.Now().UTC()
			body, err := json.Marshal(agent.ReceiptBody{Device: e.Device, Outcome: "rehearsed", Started: now, Ended: now, Target: e.SHA256, Steps: []agent.ReceiptStep{}})
			if err == nil {
				_, err = v.PutReceipt(gctx, "rehearse", body)
			}
			return err
		})
	}
	return g.Wait()
}

// operator measures what an operator waits for. peer restores one device.
func (b *bench) operator(ctx context.Context, in *installation, c vault.Config, peer func() error) error {
	identity, err := os.ReadFile(filepath.Join(c.Dir, "identity.txt"))
	if err != nil {
		return err
	}
	ids, err := vault.ParseIdentities(identity, nil)
	if err != nil {
		return err
	}
	fetch := func() error {
		v, err := vault.Open(ctx, c)
		if err != nil {
			return err
		}
		x, err := v.Index(ctx)
		if err != nil {
			return err
		}
		e, ok := x.Latest(vaultDevice(4711))
		if !ok {
			return fmt.Errorf("no snapshot of %s", vaultDevice(4711))
		}
		_, err = v.Fetch(ctx, e, ids)
		return err
	}
	for _, m := range []struct {
		name, budget string
		run          func() error
	}{
		{"cfgvault list, 10,000 devices, warm", "200 ms", func() error { return in.run("list") }},
		{"cfgvault report, 10,000 devices, warm", "1 s", func() error { return in.run("report") }},
		{"cfgvault version", "30 ms", func() error { return in.run("version") }},
	} {
		took, err := settled(m.run)
		if err != nil {
			return err
		}
		b.note(m.name, took, m.budget)
	}
	ours, err := series(fetch)
	if err != nil {
		return err
	}
	theirs, err := series(peer)
	if err != nil {
		return err
	}
	b.row("one of 10,000: index, fetch, decrypt, verify / restic", ours, theirs, "0.3 s")
	return nil
}

// settled is the median of a series.
func settled(f func() error) (time.Duration, error) {
	all, err := series(f)
	if err != nil {
		return 0, err
	}
	return median(all), nil
}

// series runs f once to warm up, then seven times.
func series(f func() error) ([]time.Duration, error) {
	if err := f(); err != nil {
		return nil, err
	}
	var all []time.Duration
	for range 7 {
		took, err := timed(f)
		if err != nil {
			return nil, err
		}
		all = append(all, took)
	}
	return all, nil
}

func vaultDevice(i int) string { return fmt.Sprintf("%032x", i+1) }

// configText is a configuration of some 35 kB that compresses as real ones do.
func configText(device, version int) []byte {
	links := rand.New(rand.NewPCG(uint64(device), 0))
	hosts := rand.New(rand.NewPCG(uint64(device), uint64(version)+1))
	b := fmt.Appendf(nil, "hostname r%d\n", device)
	for i := range 400 {
		b = fmt.Appendf(b, "interface Ethernet%d\n description link %08x\n ip address 10.%d.%d.%d/24\n no shutdown\n!\n",
			i, links.Uint32(), device%250, i%250, hosts.IntN(250))
	}
	return b
}

// night backs up every device whose text has changed.
func night(ctx context.Context, c vault.Config, texts [][]byte) error {
	v, err := vault.Open(ctx, c)
	if err != nil {
		return err
	}
	run, err := v.Begin(ctx, vault.RunOptions{})
	if err != nil {
		return err
	}
	defer run.Abort()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(64)
	for i, text := range texts {
		g.Go(func() error {
			device, digest := vaultDevice(i), v.Digest(text)
			if st, ok := v.State(device); ok && st.Digest == digest {
				return run.Seen(device, nil)
			}
			_, err := run.Put(gctx, &vault.Snapshot{Device: device, Verdict: vault.Complete, Digest: digest,
				Files: []vault.File{{Name: "running-config", Kind: vault.Native, Data: text}}})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return run.Close(ctx)
}
