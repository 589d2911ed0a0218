package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/agent/inventory"
	"github.com/cfgvault/cfgvault/plugins"
)

// path is how a unit is managed, as far as its configuration tells.
type path struct {
	Addresses []string `json:"addresses,omitempty"` // its own, without prefix lengths; "dhcp" where a server says
	Users     []string `json:"users,omitempty"`     // that it knows by itself
}

// pathIn reads the management path from a tree.
func pathIn(tree []byte) path {
	var doc struct {
		Interfaces struct {
			Interface []struct {
				Enabled    *bool
				IPv4, IPv6 struct {
					DHCP    bool
					Address []struct{ IP string }
				}
			}
		} `json:"cfgvault-interfaces:interfaces"`
		System struct {
			Users struct{ User []struct{ Name string } }
		} `json:"cfgvault-system:system"`
	}
	var p path
	if json.Unmarshal(tree, &doc) != nil {
		return p
	}
	for _, i := range doc.Interfaces.Interface {
		if i.Enabled != nil && !*i.Enabled {
			continue
		}
		for _, a := range append(i.IPv4.Address, i.IPv6.Address...) {
			p.Addresses = append(p.Addresses, a.IP)
		}
		if i.IPv4.DHCP || i.IPv6.DHCP {
			p.Addresses = append(p.Addresses, "dhcp")
		}
	}
	for _, u := range doc.System.Users.User {
		p.Users = append(p.Users, u.Name)
	}
	return p
}

// management tells how the unit will be reached, and what stands over the
// change. It is no step of its own on the unit: each platform takes the whole
// configuration, its management path included, as one change under one timer of
// the unit's, and the change is kept only after the agent has come in anew, by
// the new path. Two changes would be two moments at which the path may break,
// and a unit between them that has neither configuration.
func (r *replace) management(ctx context.Context) error {
	was := r.state.Path
	at, err := inventory.ParseAddress(r.opts.Address)
	if err != nil {
		return fmt.Errorf("%w: address of the new unit: %w", ErrConfig, err)
	}
	home, err := inventory.ParseAddress(r.place.Address)
	if err != nil {
		return fmt.Errorf("%w: device %s: %w", ErrConfig, r.place.Name, err)
	}
	has := func(host string) bool { return slices.Contains(was.Addresses, host) }
	switch {
	case at.Scheme.IsConsole():
		r.tell("management", "info", "the unit is reached at a console, which no configuration takes away")
	case has(at.Host):
		r.tell("management", "info", "the unit keeps the address %s, at which it is reached", at.Host)
	case has(home.Host):
		r.tell("management", "info", "the unit leaves %s: the snapshot gives it %s, where the inventory looks for %s", at.Host, home.Host, r.place.Name)
	case len(was.Addresses) == 0:
		r.tell("management", "info", "the snapshot does not tell what addresses it gives the unit")
	default:
		r.tell("management", "info", "the snapshot gives the unit %s, and cfgvault will look for it at %s: unless an address is translated on the way, it will not be found and goes back", strings.Join(was.Addresses, ", "), at.Host)
	}
	if user := r.place.User; user != "" && len(was.Users) > 0 && !slices.Contains(was.Users, user) && !r.cross {
		r.tell("management", "info", "the snapshot knows no user %s, by which cfgvault logs in: a server has to", user)
	}
	switch r.drv.Info().Rollback {
	case plugins.RollbackNone:
		r.tell("management", "info", "nothing stands over the change: this platform does not go back by itself")
	case plugins.RollbackReboot:
		r.tell("management", "info", "the unit's own timer stands over the change: unless cfgvault comes in anew by that path, it reboots into what it has saved")
	case plugins.RollbackDeadman:
		r.tell("management", "info", "a job on the unit stands over the change: unless cfgvault comes in anew by that path, it puts back what the unit has now")
	default:
		r.tell("management", "info", "the unit's own timer stands over the change: unless cfgvault comes in anew by that path, it goes back to what it has now")
	}
	return nil
}
