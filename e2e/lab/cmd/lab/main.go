// Command lab starts real devices by hand and says how to log in to them, until
// it is interrupted.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/cfgvault/cfgvault/e2e/lab"
)

func main() { os.Exit(run()) }

func run() int {
	routers := flag.Int("frr", 1, "number of FRR routers")
	machines := flag.Int("linux", 0, "number of Linux machines")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := lab.Open(ctx, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 1
	}
	defer func() {
		if err := l.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "lab:", err)
		}
	}()
	if err := start(ctx, l, *routers, *machines); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 1
	}
	fmt.Println("Ctrl-C ends the lab.")
	<-ctx.Done()
	return 0
}

func start(ctx context.Context, l *lab.Lab, routers, machines int) error {
	all, err := l.Routers(ctx, routers, lab.RouterOptions{})
	if err != nil {
		return err
	}
	for _, r := range all {
		for _, login := range []lab.Login{r.Shell(), r.Vtysh(), r.VtyshShell()} {
			show(r.Device, login)
		}
	}
	for range machines {
		m, err := l.Machine(ctx, lab.MachineOptions{})
		if err != nil {
			return err
		}
		for _, login := range []lab.Login{m.Root(), m.Sudo()} {
			show(m.Device, login)
		}
	}
	return nil
}

func show(d *lab.Device, login lab.Login) {
	fmt.Printf("%-8s ssh -i %s %s@%s   # password %s\n", d.Name, login.KeyFile, login.User, d.Addr, login.Password)
}
