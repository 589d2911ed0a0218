package vault_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cfgvault/cfgvault/vault"
	"github.com/cfgvault/cfgvault/vault/dir"
	"github.com/cfgvault/cfgvault/vault/internal/gateway"
	"github.com/cfgvault/cfgvault/vault/s3"
)

const fleet = 10000

// config is a configuration of some 35 kB that compresses as real ones do.
func config(device, version int) []byte {
	r := rand.New(rand.NewPCG(uint64(device), uint64(version)))
	var b []byte
	b = fmt.Appendf(b, "hostname r%d\nversion %d\n", device, version)
	for i := range 400 {
		b = fmt.Appendf(b, "interface Ethernet%d\n description link %08x\n ip address 10.%d.%d.%d/24\n no shutdown\n!\n",
			i, rand.New(rand.NewPCG(uint64(device), uint64(i))).Uint32(), device%250, i%250, r.IntN(250))
	}
	return b
}

// BenchmarkFleet measures the nights of a fleet: first, unchanged, 5 % changed,
// then the index, cold and warm, and one restore.
func BenchmarkFleet(b *testing.B) {
	stores := map[string]func() vault.Store{
		"dir": func() vault.Store {
			s, err := dir.Open(filepath.Join(b.TempDir(), "store"))
			if err != nil {
				b.Fatal(err)
			}
			return s
		},
		"s3": func() vault.Store {
			s, err := s3.Open(b.Context(), gateway.Start(b).Bucket("fleet"))
			if err != nil {
				b.Fatal(err)
			}
			return s
		},
	}
	for _, name := range []string{"dir", "s3"} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				benchFleet(b, stores[name]())
			}
		})
	}
}

func benchFleet(b *testing.B, s vault.Store) {
	ctx := b.Context()
	c := vault.Config{Dir: filepath.Join(b.TempDir(), "home"), Store: s}
	made, err := vault.Create(ctx, c, vault.CreateOptions{})
	if err != nil {
		b.Fatal(err)
	}
	ids, err := vault.ParseIdentities([]byte(made.Identity), nil)
	if err != nil {
		b.Fatal(err)
	}
	texts := make([][]byte, fleet)
	for i := range texts {
		texts[i] = config(i, 0)
	}
	took := func(name string, f func() error) {
		start, used := time.Now(), cpu()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), name+"-s")
		b.ReportMetric((cpu() - used).Seconds(), name+"-cpu-s")
	}
	took("first", func() error { return benchNight(ctx, c, texts) })
	took("unchanged", func() error { return benchNight(ctx, c, texts) })
	for i := range fleet / 20 {
		texts[i*20] = config(i*20, 1)
	}
	took("changed5%", func() error { return benchNight(ctx, c, texts) })
	var x *vault.Index
	index := func() error {
		v, err := vault.Open(ctx, c)
		if err != nil {
			return err
		}
		x, err = v.Index(ctx)
		return err
	}
	took("index-cold", index)
	took("index-warm", index)
	took("restore-one", func() error {
		if err := index(); err != nil {
			return err
		}
		v, err := vault.Open(ctx, c)
		if err != nil {
			return err
		}
		e, _ := x.Latest("dev-00000100")
		_, err = v.Fetch(ctx, e, ids)
		return err
	})
}

// cpu is the time that this process has used; unlike the clock it does not
// depend on what else the machine does.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchNight(ctx context.Context, c vault.Config, texts [][]byte) error {
	v, err := vault.Open(ctx, c)
	if err != nil {
		return err
	}
	r, err := v.Begin(ctx, vault.RunOptions{})
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(64)
	for i, text := range texts {
		g.Go(func() error {
			device := fmt.Sprintf("dev-%08d", i)
			digest := v.Digest(text)
			if st, ok := v.State(device); ok && st.Digest == digest {
				return r.Seen(device, nil)
			}
			_, err := r.Put(gctx, &vault.Snapshot{Device: device, Verdict: vault.Complete, Digest: digest,
				Files: []vault.File{{Name: "running-config", Kind: vault.Native, Data: text}}})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return r.Close(ctx)
}
