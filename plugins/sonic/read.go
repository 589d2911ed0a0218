package sonic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/deadman"
	"github.com/cfgvault/cfgvault/plugins/netdev"
)

const (
	identifyScript = `f version show version; f mac decode-syseeprom -m; f host hostname; `
	// Keys come in no order; sorted on the switch, one configuration has one text.
	// Python before 3.5 cannot: the order is then as it comes.
	databaseScript = `db(){ if printf '{}' | python3 -m json.tool --sort-keys >/dev/null 2>&1; then sonic-cfggen -d --print-data | python3 -m json.tool --sort-keys; else sonic-cfggen -d --print-data; fi; }; `
	exportScript   = identifyScript + databaseScript +
		`f db db; f init sonic-db-cli CONFIG_DB GET CONFIG_DB_INITIALIZED; f release cat /etc/sonic/sonic_version.yml; ` +
		`f lldp docker exec lldp lldpcli -f keyvalue show neighbors; ` + // LLDP runs in a container of that name
		`for x in /etc/sonic/*.json /etc/sonic/*.yml /etc/sonic/*.xml /etc/sonic/frr/*.conf; do case $x in */sonic_version.yml|*/init_cfg.json|*/constants.yml|*/asic_config*|*/port_breakout*) ;; *) [ ! -f "$x" ] || f "file$x" cat "$x";; esac; done; `
)

// ask runs a script of frames, as root where the login is or may become root.
func ask(ctx context.Context, s plugins.Session, script string) (deadman.Pieces, error) {
	script = deadman.Frames + "exec </dev/null; f uid id -u; " + script + "echo @end"
	out, err := s.Run(ctx, plugins.Command{Text: `sh -c 'if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then exec sudo -n sh -c "$1"; else exec sh -c "$1"; fi' sh ` + deadman.Quote(script)})
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(out.Stdout, []byte("@uid\n")) && out.End != plugins.EndCut {
		return nil, fmt.Errorf("the login does not run a shell: %w", plugins.ErrWrongPlatform)
	}
	p, err := deadman.Unframe(out.Stdout)
	if err != nil && out.End == plugins.EndCut {
		err = fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
	}
	return p, err
}

var (
	versionLine = regexp.MustCompile(`(?m)^SONiC Software Version:\s*(\S+)`)
	skuLine     = regexp.MustCompile(`(?m)^HwSKU:\s*(\S+)`)
	serialLine  = regexp.MustCompile(`(?m)^Serial Number:\s*(\S+)`)
)

// Identify implements plugins.Driver. A virtual switch has no serial number
// and is known by its base address.
func (driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	p, err := ask(ctx, s, identifyScript)
	if err != nil {
		return plugins.Facts{}, fmt.Errorf("identify: %w", err)
	}
	f, ok := facts(p)
	if !ok {
		return plugins.Facts{}, fmt.Errorf("identify: no SONiC answers: %w", plugins.ErrWrongPlatform)
	}
	return f, nil
}

func facts(p deadman.Pieces) (plugins.Facts, bool) {
	text := p.Text("version")
	version := versionLine.FindStringSubmatch(text)
	if version == nil {
		return plugins.Facts{}, false
	}
	f := plugins.Facts{Vendor: "SONiC", OS: "SONiC", OSVersion: strings.TrimPrefix(strings.TrimPrefix(version[1], "SONiC."), "SONiC-OS-"), Hostname: strings.TrimSpace(p.Text("host"))}
	if m := skuLine.FindStringSubmatch(text); m != nil {
		f.Model = m[1]
	}
	if mac := strings.ToLower(strings.TrimSpace(p.Text("mac"))); p.OK("mac") && len(mac) == 17 {
		f.MACs = []string{mac}
	}
	if m := serialLine.FindStringSubmatch(text); m != nil && m[1] != "N/A" {
		f.Serials = []string{m[1]}
	} else if len(f.MACs) > 0 {
		f.Serials = []string{"mac:" + f.MACs[0]}
	}
	return f, true
}

// Export implements plugins.Driver.
func (driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	p, err := ask(ctx, s, exportScript)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	x := assemble(p)
	if len(x.Artefacts) == 0 || len(bytes.TrimSpace(p["db"].Data)) == 0 {
		return nil, fmt.Errorf("export: %w", plugins.ErrEmpty)
	}
	return x, nil
}

// assemble makes an export of what the switch sent, and proves it whole.
func assemble(p deadman.Pieces) *plugins.Export {
	x := &plugins.Export{Verdict: plugins.Complete}
	partial := func(code, text string) {
		x.Verdict = plugins.Partial
		x.Reasons = append(x.Reasons, plugins.Reason{Code: code, Text: text})
	}
	db := p["db"]
	x.Artefacts = append(x.Artefacts, plugins.Artefact{Name: artRunning, Role: plugins.RoleRunning, Source: "sonic-cfggen -d --print-data", Data: db.Data})
	var tables map[string]map[string]json.RawMessage
	switch err := json.Unmarshal(db.Data, &tables); {
	case db.Status != 0 || err != nil:
		partial("no-json", "the switch does not give its configuration database as JSON; may the login become root?")
	default:
		for _, t := range []string{"DEVICE_METADATA", "PORT"} {
			if len(tables[t]) == 0 {
				partial("table-missing", "the configuration database has no table "+t)
			}
		}
	}
	if strings.TrimSpace(p.Text("init")) != "1" {
		partial("not-initialized", "the configuration database is still being filled")
	}
	if _, ok := facts(p); !ok {
		partial("artefact-missing", "the switch does not say what release it runs")
	}
	for _, name := range slices.Sorted(maps.Keys(p)) {
		file, ok := strings.CutPrefix(name, "file/")
		if !ok {
			continue
		}
		if !p.OK(name) {
			partial("file-unreadable", "the login may not read /"+file)
			continue
		}
		a := plugins.Artefact{Name: file, Role: plugins.RoleState, Source: "/" + file, Data: p[name].Data}
		if file == artSaved || strings.HasPrefix(file, frrFolder) {
			a.Role = plugins.RoleStartup
		}
		if strings.HasPrefix(file, "etc/sonic/config_db") && file != artSaved && strings.ContainsAny(file[len("etc/sonic/config_db"):], "0123456789") {
			partial("multi-asic", "a multi-ASIC unit has a database for each ASIC; only the host's was read, and nothing of the unit can be restored from it")
		}
		x.Artefacts = append(x.Artefacts, a)
	}
	if p.OK("release") {
		x.Artefacts = append(x.Artefacts, plugins.Artefact{Name: artVersion, Role: plugins.RoleState, Bind: plugins.BindVersion, Source: "/etc/sonic/sonic_version.yml", Data: p["release"].Data})
	}
	if list := portsIn(tables, p.Text("lldp")); len(list) > 0 {
		if a, err := plugins.NewPortsArtefact("PORT, lldpcli", list); err == nil {
			x.Artefacts = append(x.Artefacts, a)
		}
	}
	x.FactoryDefault = tables != nil && factoryDefault(tables)
	if strings.TrimSpace(p.Text("uid")) != "0" {
		x.NoRestore = []plugins.Reason{{Code: "no-restore-path", Text: "the login is not root and may not sudo without a password"}}
	}
	return x
}

// factoryDefault: the switch has its first name, and no address of its own.
func factoryDefault(tables map[string]map[string]json.RawMessage) bool {
	var host struct{ Hostname string }
	if json.Unmarshal(tables["DEVICE_METADATA"]["localhost"], &host) != nil || host.Hostname != "" && host.Hostname != "sonic" {
		return false
	}
	return len(tables["INTERFACE"])+len(tables["VLAN"])+len(tables["PORTCHANNEL"])+len(tables["MGMT_INTERFACE"]) == 0
}

// portsIn are the ports of the database, with the speed that they run at, and
// who answers on them by LLDP. Of bundles and loopbacks the names are enough.
func portsIn(tables map[string]map[string]json.RawMessage, lldp string) []plugins.Port {
	at := netdev.Neighbors(lldp)
	var list []plugins.Port
	for _, t := range []struct{ table, role string }{
		{"PORT", plugins.PortData}, {"MGMT_PORT", plugins.PortManagement}, {"PORTCHANNEL", plugins.PortVirtual}, {"LOOPBACK", plugins.PortVirtual}, {"VLAN", plugins.PortVirtual},
	} {
		for _, name := range slices.Sorted(maps.Keys(tables[t.table])) {
			var row struct{ Speed string }
			_ = json.Unmarshal(tables[t.table][name], &row) // a row without a speed has none
			p := plugins.Port{Name: name, Role: t.role, Neighbor: at[name], Up: at[name] != ""}
			if n, err := strconv.Atoi(row.Speed); err == nil && n > 0 && t.role != plugins.PortVirtual {
				p.Speed = n
			}
			list = append(list, p)
		}
	}
	return list
}
