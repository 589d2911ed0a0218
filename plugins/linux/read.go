package linux

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/deadman"
	"github.com/cfgvault/cfgvault/plugins/netdev"
)

// osRelease is the artefact that keeps which distribution ran.
const osRelease = "etc/os-release"

// read runs a script of frames, as root where the login is or may become root.
func read(ctx context.Context, s plugins.Session, script string) (deadman.Pieces, error) {
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

var releaseLine = regexp.MustCompile(`(?m)^(NAME|VERSION_ID)=["']?([^"'\n]*)["']?$`)

// Identify implements plugins.Driver. A machine whose board tells no serial is
// known by its machine id.
func (driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	p, err := read(ctx, s, `f kernel uname -s; f host hostname; f release cat /etc/os-release; f serial cat /sys/class/dmi/id/product_serial; f model cat /sys/class/dmi/id/product_name; f id cat /etc/machine-id; `+
		`f macs sh -c "cd /sys/class/net && for i in *; do [ \"\$(cat \$i/addr_assign_type)\" != 0 ] || [ \$i = lo ] || cat \$i/address; done"; `)
	if err != nil {
		return plugins.Facts{}, fmt.Errorf("identify: %w", err)
	}
	if strings.TrimSpace(p.Text("kernel")) != "Linux" {
		return plugins.Facts{}, fmt.Errorf("identify: no Linux answers: %w", plugins.ErrWrongPlatform)
	}
	f := plugins.Facts{Vendor: "Linux", OS: "Linux", Hostname: strings.TrimSpace(p.Text("host"))}
	for _, m := range releaseLine.FindAllStringSubmatch(p.Text("release"), -1) {
		if m[1] == "NAME" {
			f.OS = m[2]
		} else {
			f.OSVersion = m[2]
		}
	}
	if p.OK("model") {
		f.Model = board(p.Text("model"))
	}
	if serial := board(p.Text("serial")); serial != "" {
		f.Serials = []string{serial}
	} else if id := strings.TrimSpace(p.Text("id")); id != "" {
		f.Serials = []string{"machine-id:" + id}
	}
	for mac := range strings.FieldsSeq(p.Text("macs")) {
		if mac = strings.ToLower(mac); !slices.Contains(f.MACs, mac) {
			f.MACs = append(f.MACs, mac)
		}
	}
	return f, nil
}

// board drops what board makers write where they have nothing to say.
func board(s string) string {
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case "none", "not specified", "to be filled by o.e.m.", "default string", "system serial number", "system product name", "0":
		return ""
	}
	return s
}

// exportScript reads the declared files in one stream, with what they were
// before and after it: count, and a sum over names, sizes and change times.
func exportScript(list []string) string {
	var b strings.Builder
	b.WriteString("cd /; set --; ")
	for _, f := range list {
		f = deadman.Quote(strings.TrimSuffix(f, "/**"))
		fmt.Fprintf(&b, `if [ -e %s ] || [ -L %s ]; then set -- "$@" %s; fi; `, f, f, f)
	}
	// Without any file, tar would refuse to make an empty archive.
	b.WriteString(`[ $# -gt 0 ] || set -- etc/hostname; ` +
		`find_all(){ find "$@" \( -type f -o -type l \) -print; }; look(){ find "$@" \( -type f -o -type l \) -exec stat -c "%n %s %Z %i %a" {} + | sort | cksum; }; ` +
		`pack(){ tar -cf - "$@" | base64; }; closed(){ find "$@" \( -type f -o -type d \) ! -type l -exec sh -c "for x; do [ -r \"\$x\" ] || echo \"\$x\"; done" sh {} +; }; ` +
		`f names find_all "$@"; f before look "$@"; f closed closed "$@"; f tar pack "$@"; f after look "$@"; f release cat /etc/os-release; ` + netdev.Script + `f ports ports; `)
	return b.String()
}

// Export implements plugins.Driver.
func (driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	list, err := fileList(s.Options())
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	var x *plugins.Export
	for range 2 { // a file that changed while it was read is read once more
		p, err := read(ctx, s, exportScript(list))
		if err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		if x, err = assemble(p); err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		if p.Text("before") == p.Text("after") {
			break
		}
	}
	return x, nil
}

// assemble makes an export of what the device sent, and proves it whole.
func assemble(p deadman.Pieces) (*plugins.Export, error) {
	x := &plugins.Export{Verdict: plugins.Complete}
	partial := func(code, text string) {
		x.Verdict = plugins.Partial
		x.Reasons = append(x.Reasons, plugins.Reason{Code: code, Text: text})
	}
	var err error
	if x.Artefacts, err = unpack(p["tar"].Data); err != nil {
		partial("archive-cut", "the archive of the files ends before its end")
	}
	for name := range strings.Lines(p.Text("closed")) {
		partial("file-unreadable", "the login may not read /"+strings.TrimSuffix(name, "\n"))
	}
	names := slices.Collect(strings.Lines(p.Text("names")))
	if !p.OK("names") && len(p.Text("closed")) == 0 {
		partial("file-unreadable", "the login may not list all declared files")
	}
	if len(names) != len(x.Artefacts) {
		partial("count-differs", fmt.Sprintf("%d files are declared and there, %d came", len(names), len(x.Artefacts)))
	}
	if p.Text("before") != p.Text("after") {
		partial("changed-while-read", "a file changed while it was read, twice")
	}
	if len(x.Artefacts) == 0 {
		return nil, plugins.ErrEmpty
	}
	x.FactoryDefault = factoryDefault(x.Artefacts)
	if p.OK("release") {
		x.Artefacts = append(x.Artefacts, plugins.Artefact{Name: osRelease, Role: plugins.RoleState, Bind: plugins.BindVersion, Source: "/etc/os-release", Data: p["release"].Data})
	} else {
		// Every file may be missing; this one tells that the machine answered.
		partial("artefact-missing", "/etc/os-release cannot be read")
	}
	if ports := netdev.Ports(p.Text("ports")); len(ports) > 0 {
		a, err := plugins.NewPortsArtefact("sysfs, lldpcli", ports)
		if err != nil {
			return nil, err
		}
		x.Artefacts = append(x.Artefacts, a)
	}
	if strings.TrimSpace(p.Text("uid")) != "0" {
		x.NoRestore = []plugins.Reason{{Code: "no-restore-path", Text: "the login is not root and may not sudo without a password"}}
	}
	return x, nil
}

// unpack reads files and links of an archive that came as base64.
func unpack(text []byte) ([]plugins.Artefact, error) {
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(raw, bytes.ReplaceAll(text, []byte("\n"), nil))
	if err != nil {
		return nil, err
	}
	var out []plugins.Artefact
	hard := map[string]int{} // first name of a file with several
	folders := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(raw[:n])); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			slices.SortFunc(out, func(a, b plugins.Artefact) int { return strings.Compare(a.Name, b.Name) })
			for _, a := range out {
				if f := folders[path.Dir(a.Name)]; f != "" {
					a.Attrs["folder"] = f
				}
			}
			return out, nil
		}
		if err != nil {
			return out, err
		}
		a := plugins.Artefact{Name: strings.TrimPrefix(h.Name, "./"), Role: plugins.RoleFile, Attrs: map[string]string{
			"mode": "0" + strconv.FormatInt(h.Mode&0o7777, 8), "owner": owner(h.Uname, h.Uid), "group": owner(h.Gname, h.Gid),
		}}
		a.Source = "/" + a.Name
		switch h.Typeflag {
		case tar.TypeReg:
			if a.Data, err = io.ReadAll(r); err != nil {
				return out, err
			}
		case tar.TypeLink:
			at, ok := hard[strings.TrimPrefix(h.Linkname, "./")]
			if !ok {
				return out, fmt.Errorf("%s is a second name of a file that did not come", a.Name)
			}
			a.Data = bytes.Clone(out[at].Data)
		case tar.TypeSymlink:
			a.Attrs["link"] = h.Linkname
		case tar.TypeDir:
			// A file comes back into a folder that has gone with it.
			folders[strings.TrimSuffix(a.Name, "/")] = a.Attrs["mode"] + " " + a.Attrs["owner"] + " " + a.Attrs["group"]
			continue
		default:
			continue
		}
		hard[a.Name] = len(out)
		out = append(out, a)
	}
}

func owner(name string, id int) string {
	if name != "" {
		return name
	}
	return strconv.Itoa(id)
}

// factoryDefault: no network is configured, and the machine has no name.
func factoryDefault(files []plugins.Artefact) bool {
	for _, a := range files {
		switch {
		case a.Name == "etc/hostname":
			if name := strings.TrimSpace(string(a.Data)); name != "" && name != "localhost" {
				return false
			}
		case a.Name == "etc/nftables.conf", strings.HasPrefix(a.Name, "etc/systemd/network/"), strings.HasPrefix(a.Name, "etc/network/interfaces"),
			strings.HasPrefix(a.Name, "etc/sysctl.d/") && !strings.HasSuffix(a.Name, "README.sysctl"), strings.HasPrefix(a.Name, "etc/ssh/sshd_config.d/"):
			return false
		}
	}
	return true
}
