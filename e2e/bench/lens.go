package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/builtin"
)

// lenses: 1 MiB of configuration read into the tree and written from it, how
// both grow, and the memory of a process that does nothing else.
func (b *bench) lenses(ctx context.Context) error {
	eos, err := renderer("eos")
	if err != nil {
		return err
	}
	read := func(size int) (time.Duration, []byte, error) {
		native := []plugins.Artefact{{Name: "running-config", Role: plugins.RoleRunning, Data: switchText(size)}}
		var tree []byte
		took, err := settled(func() error {
			n, err := eos.Normalize(ctx, plugins.Facts{}, native)
			if err == nil {
				tree = n.Tree
			}
			return err
		})
		return took, tree, err
	}
	write := func(tree []byte) (time.Duration, error) {
		return settled(func() error {
			_, losses, err := eos.Render(ctx, tree, plugins.Facts{})
			if err == nil && len(losses) > 0 {
				err = fmt.Errorf("%d losses", len(losses))
			}
			return err
		})
	}
	one, tree, err := read(1 << 20)
	if err != nil {
		return err
	}
	eight, large, err := read(8 << 20)
	if err != nil {
		return err
	}
	b.note("normalise 1 MiB of EOS configuration", one, "100 ms")
	b.line("normalise 8 MiB / eight times 1 MiB", eight, 8*one, "1.3x")
	if one, err = write(tree); err != nil {
		return err
	}
	if eight, err = write(large); err != nil {
		return err
	}
	b.note("render it", one, "100 ms")
	b.line("render 8 MiB / eight times 1 MiB", eight, 8*one, "1.3x")

	if err := b.peak(ctx, "eos", "1 MiB", switchText(1<<20)); err != nil {
		return err
	}
	return b.router(ctx)
}

// router: a RouterOS export of 10 MiB, which block lists make.
func (b *bench) router(ctx context.Context) error {
	ros, err := renderer("routeros")
	if err != nil {
		return err
	}
	text := exportText(10 << 20)
	took, err := settled(func() error {
		_, err := ros.Normalize(ctx, plugins.Facts{}, []plugins.Artefact{{Name: "export", Role: plugins.RoleRunning, Data: text}})
		return err
	})
	if err != nil {
		return err
	}
	b.note("normalise 10 MiB of a RouterOS export", took, "1.5 s")
	return b.peak(ctx, "routeros", "10 MiB of a RouterOS export", text)
}

// peak is the most memory of a process that normalises a text.
func (b *bench) peak(ctx context.Context, driver, what string, text []byte) error {
	file := filepath.Join(b.dir, driver+".cfg")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, self, "-driver", driver, "-normalise", file).Output()
	if err != nil {
		return fmt.Errorf("normalise in a process of its own: %w", err)
	}
	peak, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return err
	}
	b.size("most memory of a process that normalises "+what, peak, "64 MiB")
	return nil
}

type renderingDriver interface {
	plugins.Driver
	plugins.Renderer
}

func renderer(name string) (renderingDriver, error) {
	d, _ := builtin.Driver(name)
	r, ok := d.(renderingDriver)
	if !ok {
		return nil, fmt.Errorf("driver %s does not render", name)
	}
	return r, nil
}

// normalise reads one configuration, as a plugin does, and prints the most
// memory that this process has held, in bytes.
func normalise(ctx context.Context, driver, file string, stdout io.Writer) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	d, err := renderer(driver)
	if err != nil {
		return err
	}
	name := d.Info().Artefacts[0].Name
	if _, err = d.Normalize(ctx, plugins.Facts{}, []plugins.Artefact{{Name: name, Role: plugins.RoleRunning, Data: text}}); err != nil {
		return err
	}
	// Not getrusage(2): its maximum begins with what the parent held at fork.
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	var kib int64
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return fmt.Errorf("/proc/self/status: VmHWM: %w", err)
	}
	_, err = fmt.Fprintln(stdout, kib<<10)
	return err
}

// switchText is an EOS configuration of at least n bytes.
func switchText(n int) []byte {
	b := []byte("hostname core1\n!\n")
	for i := 1; len(b) < n; i++ {
		b = fmt.Appendf(b, "interface Ethernet%d\n   description link to rack %d\n   no switchport\n   mtu 9000\n   ip address 10.%d.%d.1/24\n!\n",
			i, i, i>>8&255, i&255)
	}
	return append(b, "end\n"...)
}

// exportText is a RouterOS export of at least n bytes: block lists, users and
// firewall rules, broken near column 80 as the device does.
func exportText(n int) []byte {
	b := []byte("# 2026-11-20 02:00:01 by RouterOS 7.18.2\n/ip firewall address-list\n")
	for i := 0; len(b) < n/2; i++ {
		b = fmt.Appendf(b, "add address=10.%d.%d.%d comment=\"entry %d\" list=blocked\n", i>>16&255, i>>8&255, i&255, i)
	}
	b = append(b, "/ppp secret\n"...)
	for i := 0; len(b) < 3*n/4; i++ {
		b = fmt.Appendf(b, "add name=user%d password=made-up-%d profile=default remote-address=\\\n    10.1.%d.%d service=pppoe\n", i, i, i>>8&255, i&255)
	}
	b = append(b, "/ip firewall filter\n"...)
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, "add action=accept chain=forward comment=\"rule %d\" dst-port=%d in-interface=\\\n    ether%d protocol=tcp src-address=10.2.%d.%d\n", i, i%65536, i%8, i>>8&255, i&255)
	}
	return b
}
