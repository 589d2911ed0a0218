package agent

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cfgvault/cfgvault/agent/session"
	"github.com/cfgvault/cfgvault/plugins"
)

func (r *replace) interfaces(ctx context.Context) error {
	have, err := r.look(ctx)
	if err != nil {
		return err
	}
	used := inUse(r.state.Named, r.state.Ports)
	if have == nil {
		if len(r.opts.Map) == 0 {
			r.tell("interfaces", "info", "the unit does not tell its ports: every name stays as it is")
		}
		r.state.Map = r.opts.Map
		return nil
	}
	if len(r.opts.Map) > 0 {
		plan, err := checkMap(r.opts.Map, used, have)
		if err != nil {
			return err
		}
		if !r.cross {
			plan.spare(unmapped(r.state.Idle, r.opts.Map), r.state.Ports, have)
		}
		r.state.Map = plan.Map()
		if len(plan.Doubts) > 0 {
			return r.decide(ctx, GateMap, "%s", strings.Join(plan.Doubts, "; "))
		}
		return nil
	}
	plan := PlanInterfaces(used, have)
	same := len(plan.Map()) == 0 && len(plan.Doubts) == 0 && len(plan.Lost) == 0
	if same {
		r.tell("interfaces", "info", "the new unit has all %d ports in use, by the same names", len(plan.Entries))
	}
	if !r.cross { // a conversion leaves out what nobody configured
		plan.spare(r.state.Idle, r.state.Ports, have)
	}
	r.state.Map = plan.Map()
	if same {
		if n := len(r.state.Map); n > 0 {
			r.tell("interfaces", "info", "%d ports that nobody uses have no place of the same name", n)
		}
		return nil
	}
	return r.review(ctx, plan, have)
}

// review writes a computed map for a person to look at, who may also edit it.
func (r *replace) review(ctx context.Context, plan *InterfacePlan, have []plugins.Port) error {
	text := plan.Text(fmt.Sprintf("interface map of %s: from %s to %s", r.place.Name, token(r.state.Was), token(r.state.Unit)))
	if err := os.WriteFile(r.opts.MapFile, []byte(text), 0o600); err != nil {
		return fmt.Errorf("interface map: %w", err)
	}
	if len(plan.Lost) > 0 {
		return hard("interfaces", "no port of the new unit can take the place of %s; it has %s. Complete %s and give it with --map", strings.Join(plan.Lost, ", "), portNames(have), r.opts.MapFile)
	}
	for line := range strings.Lines(text) {
		r.tell("interfaces", "info", "%s", strings.TrimSpace(line))
	}
	why := "interfaces were matched by other means than their names"
	if len(plan.Doubts) > 0 {
		why += "; " + strings.Join(plan.Doubts, "; ")
	}
	return r.decide(ctx, GateMap, "%s; the map lies in %s, where it can be edited and given with --map", why, r.opts.MapFile)
}

// look reads the ports of the new unit.
func (r *replace) look(ctx context.Context) ([]plugins.Port, error) {
	var ports []plugins.Port
	err := r.withSession(ctx, "", func(s *session.Session) error {
		exp, err := r.drv.Export(ctx, s)
		if err != nil {
			return during("export", err)
		}
		ports = plugins.PortsIn(exp.Artefacts)
		return nil
	})
	return ports, err
}

// unmapped are the names that a map says nothing of.
func unmapped(names []string, m map[string]string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { _, ok := m[n]; return ok })
}

// verify compares links and neighbours. Cables may still lie on the table, so
// what is not as before is work for a person, not a failure.
func (r *replace) verify(ctx context.Context) error {
	if len(r.state.Ports) == 0 {
		r.tell("verify", "info", "the snapshot does not tell links and neighbours")
		return nil
	}
	for {
		var now []plugins.Port
		err := r.withDevice(ctx, r.settled(r.state.Address), func(s *session.Session) error {
			exp, err := r.drv.Export(ctx, s)
			if err == nil {
				now = plugins.PortsIn(exp.Artefacts)
			}
			return err
		})
		if err != nil {
			return during("export", err)
		}
		open := compareLinks(inUse(r.state.Named, r.state.Ports), now, r.state.Map)
		if len(open) == 0 {
			r.tell("verify", "info", "links and neighbours are as they were")
			return nil
		}
		if r.opts.Ask != nil {
			said, err := r.opts.Ask(ctx, Question{Text: strings.Join(open, "\n"), Prompt: "Connect what is missing. Look again?", YesNo: true})
			if err != nil {
				return err
			}
			if yes(said) {
				continue
			}
		}
		r.state.Tasks = append(r.state.Tasks, open...)
		return nil
	}
}

// compareLinks lists the links that the old unit had and the new one lacks.
func compareLinks(old, now []plugins.Port, m map[string]string) []string {
	var out []string
	for _, o := range old {
		name := o.Name
		if to := m[name]; to != "" {
			name = to
		}
		i := slices.IndexFunc(now, func(p plugins.Port) bool { return p.Name == name })
		switch {
		case i < 0 || !o.Up && o.Neighbor == "":
		case o.Up && !now[i].Up:
			out = append(out, fmt.Sprintf("%s has no link; it was connected to %s", name, cmpOr(o.Neighbor, "something")))
		case o.Neighbor != "" && now[i].Neighbor != o.Neighbor:
			out = append(out, fmt.Sprintf("%s was connected to %s, now to %s", name, o.Neighbor, cmpOr(now[i].Neighbor, "nobody who answers by LLDP")))
		}
	}
	return out
}

func cmpOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
