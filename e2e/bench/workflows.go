package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cfgvault/cfgvault/e2e/lab"
	"github.com/cfgvault/cfgvault/plugins/simulate/device"
	"github.com/cfgvault/cfgvault/plugins/simulate/eos"
)

// wipe: one command that resets a real router, proves the reset and brings the
// router back, with the time of each step from its receipt.
func (b *bench) wipe(ctx context.Context) error {
	l, err := lab.Open(ctx, nil)
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := l.Router(ctx, lab.RouterOptions{Name: "wiped"})
	if err != nil {
		return err
	}
	in, err := b.home("wipe")
	if err != nil {
		return err
	}
	if err := in.add("r1", r); err != nil {
		return err
	}
	if err := in.run("backup", "r1"); err != nil {
		return err
	}
	before, err := r.Running(ctx)
	if err != nil {
		return err
	}
	var all []time.Duration
	for range 3 {
		took, err := timed(func() error { return in.run("wipe", "r1", "--serial", r.Serial, "--yes", "--then-restore") })
		if err != nil {
			return err
		}
		all = append(all, took)
		after, err := r.Running(ctx)
		if err != nil {
			return err
		}
		if string(lab.Significant(after)) != string(lab.Significant(before)) {
			return errors.New("the router is not as it was")
		}
	}
	b.note("one FRR, wipe to verified restore", median(all), "10 s")
	return errors.Join(b.receiptSteps(in, "r1", "wipe"), b.receiptSteps(in, "r1", "restore"))
}

// receiptSteps prints the times of the newest receipt of a kind.
func (b *bench) receiptSteps(in *installation, device, kind string) error {
	out, err := in.command("receipt", "list", device, "--json").Output()
	if err != nil {
		return err
	}
	var all []struct {
		Kind  string
		Steps []struct {
			Step    string
			Seconds float64
		}
	}
	if err := json.Unmarshal(out, &all); err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Kind != kind {
			continue
		}
		for _, s := range all[i].Steps {
			b.note("    "+kind+": "+s.Step, time.Duration(s.Seconds*float64(time.Second)), "")
		}
		return nil
	}
	return fmt.Errorf("no receipt of a %s", kind)
}

// largeLatency is what every exchange with the large switch costs.
const largeLatency = 50 * time.Millisecond

// large: a switch of ten thousand lines behind a slow link, wiped and brought
// back.
func (b *bench) large(ctx context.Context) error {
	config := largeConfig()
	lines := strings.Count(config, "\n")
	d := eos.New(device.Options{Config: config, User: "admin", Password: "bench-password", Serial: "SSJ00000001", Latency: largeLatency}, eos.Variant{})
	addr, err := d.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer d.Close()
	in, err := b.home("large")
	if err != nil {
		return err
	}
	secret := filepath.Join(b.dir, "large.pw")
	if err := os.WriteFile(secret, []byte("bench-password\n"), 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"device", "add", "sw1", "--driver", "eos", "--address", addr.String(), "--user", "admin", "--password-file", secret},
		{"device", "trust", "sw1", "--yes"}, {"backup", "sw1"},
	} {
		if err := in.run(args...); err != nil {
			return err
		}
	}
	before := d.Running()
	took, err := timed(func() error {
		return in.run("wipe", "sw1", "--serial", "SSJ00000001", "--yes", "--then-restore")
	})
	if err != nil {
		return err
	}
	if d.Running() != before {
		return errors.New("the switch is not as it was")
	}
	b.note(fmt.Sprintf("switch of %d lines, 50 ms an exchange, wipe to verified", lines), took, "60 s")
	return errors.Join(b.receiptSteps(in, "sw1", "wipe"), b.receiptSteps(in, "sw1", "restore"))
}

// largeConfig is the sample with as many VLANs, ports and routes as make ten
// thousand lines.
func largeConfig() string {
	var vlans, ports, routes strings.Builder
	for i := range 1200 {
		fmt.Fprintf(&vlans, "vlan %d\n   name users-%d\n!\n", 100+i, i)
	}
	for i := range 1100 {
		fmt.Fprintf(&ports, "interface Ethernet%d\n   description room %d\n   switchport access vlan %d\n!\n", 5+i, i, 100+i)
	}
	for i := range 2000 {
		fmt.Fprintf(&routes, "ip route 10.%d.%d.0/24 192.0.2.1\n", i/250, i%250)
	}
	c := strings.Replace(eos.Sample, "interface Ethernet1\n", vlans.String()+"interface Ethernet1\n", 1)
	c = strings.Replace(c, "interface Loopback0\n", ports.String()+"interface Loopback0\n", 1)
	return strings.Replace(c, "ip route 0.0.0.0/0 192.0.2.1\n", "ip route 0.0.0.0/0 192.0.2.1\n"+routes.String(), 1)
}
