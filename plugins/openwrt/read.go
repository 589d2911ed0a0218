package openwrt

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/plugins/deadman"
)

const identifyScript = `f board ubus call system board; f mac cat /sys/class/net/eth0/address; f serial sh -c "tr -d '\000' </proc/device-tree/serial-number"; f release cat /etc/openwrt_release; `

// exportScript reads everything but the files themselves, and what proves that
// those are whole: a sum for each.
const exportScript = identifyScript +
	`list(){ sysupgrade -l; }; ` +
	`sums(){ list | while read -r p; do if [ -L "$p" ]; then echo "link $(readlink "$p")	$p"; else sha256sum "$p"; fi; done; }; ` +
	`installed(){ if command -v apk >/dev/null; then apk list -I; else opkg list-installed; fi; }; ` +
	`f list list; f sums sums; f changes uci changes; f packages installed; f services ls /etc/rc.d; f mtd cat /proc/mtd; `

// filesScript is the files in one stream. It ends with the status of tar.
const filesScript = `sysupgrade -l | { while read -r p; do set -- "$@" "${p#/}"; done; tar -cf - -C / "$@"; }`

// ask runs a script of frames.
func ask(ctx context.Context, s plugins.Session, script string) (deadman.Pieces, error) {
	out, err := s.Run(ctx, plugins.Command{Text: "sh -c " + deadman.Quote(deadman.Frames+script+"echo @end")})
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(out.Stdout, []byte("@board\n")) && out.End != plugins.EndCut {
		return nil, fmt.Errorf("the login does not run a shell: %w", plugins.ErrWrongPlatform)
	}
	p, err := deadman.Unframe(out.Stdout)
	if err != nil && out.End == plugins.EndCut {
		err = fmt.Errorf("%w: %w", plugins.ErrSessionLost, err)
	}
	return p, err
}

// Identify implements plugins.Driver.
func (driver) Identify(ctx context.Context, s plugins.Session) (plugins.Facts, error) {
	p, err := ask(ctx, s, identifyScript)
	if err != nil {
		return plugins.Facts{}, fmt.Errorf("identify: %w", err)
	}
	f, ok := facts(p)
	if !ok {
		return plugins.Facts{}, fmt.Errorf("identify: no OpenWrt answers: %w", plugins.ErrWrongPlatform)
	}
	return f, nil
}

var macLine = regexp.MustCompile(`^[0-9a-f]{2}(:[0-9a-f]{2}){5}$`)

// facts reads "ubus call system board". Most units have no serial number that
// the system could tell.
func facts(p deadman.Pieces) (plugins.Facts, bool) {
	var board struct {
		Hostname string
		Model    string
		Name     string `json:"board_name"`
		Release  struct{ Distribution, Version string }
	}
	if !p.OK("board") || json.Unmarshal(p["board"].Data, &board) != nil || board.Release.Version == "" || !p.OK("release") {
		return plugins.Facts{}, false
	}
	f := plugins.Facts{Vendor: "OpenWrt", Model: board.Model, OS: board.Release.Distribution, OSVersion: board.Release.Version, Hostname: board.Hostname}
	if f.Model == "" {
		f.Model = board.Name
	}
	if mac := strings.ToLower(strings.TrimSpace(p.Text("mac"))); macLine.MatchString(mac) {
		f.MACs = []string{mac}
	}
	switch serial := strings.TrimSpace(p.Text("serial")); {
	case p.OK("serial") && serial != "":
		f.Serials = []string{serial}
	case len(f.MACs) > 0:
		f.Serials = []string{"mac:" + f.MACs[0]}
	}
	return f, true
}

// Export implements plugins.Driver.
func (driver) Export(ctx context.Context, s plugins.Session) (*plugins.Export, error) {
	x, _, err := export(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return x, nil
}

// export also returns the paths that are part of a backup of this device.
func export(ctx context.Context, s plugins.Session) (*plugins.Export, []string, error) {
	for try := 1; ; try++ { // what changed while it was read is read once more
		p, err := ask(ctx, s, exportScript)
		if err != nil {
			return nil, nil, err
		}
		out, err := s.Run(ctx, plugins.Command{Text: filesScript})
		if err != nil {
			return nil, nil, err
		}
		x, list := assemble(p, out)
		if len(x.Artefacts) == 0 {
			return nil, nil, plugins.ErrEmpty
		}
		if try == 2 || !slices.ContainsFunc(x.Reasons, func(r plugins.Reason) bool { return r.Code == "changed-while-read" }) {
			if err := partitions(ctx, s, x, p.Text("mtd")); err != nil {
				return nil, nil, err
			}
			return x, list, nil
		}
	}
}

// assemble makes an export of what the device sent, and proves it whole: every
// file of the list came, and each has the sum that the device computed.
func assemble(p deadman.Pieces, files plugins.Output) (*plugins.Export, []string) {
	x := &plugins.Export{Verdict: plugins.Complete}
	partial := func(code, text string) {
		x.Verdict = plugins.Partial
		x.Reasons = append(x.Reasons, plugins.Reason{Code: code, Text: text})
	}
	if _, ok := facts(p); !ok {
		partial("artefact-missing", "the device does not say what board and release it is")
	}
	var list []string
	for line := range strings.Lines(p.Text("list")) {
		list = append(list, strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "/"))
	}
	if !p.OK("list") || len(list) == 0 {
		partial("list-missing", "sysupgrade -l does not say which files are part of a backup")
	}
	var err error
	if x.Artefacts, err = unpack(files.Stdout); err != nil || !files.OK() {
		partial("archive-cut", "the archive of the files ends before its end")
	}
	came := map[string]plugins.Artefact{}
	for _, a := range x.Artefacts {
		came[a.Name] = a
	}
	sums := 0
	for line := range strings.Lines(p.Text("sums")) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		link, isLink := strings.CutPrefix(line, "link ")
		if isLink {
			sum, name, _ = strings.Cut(strings.TrimSuffix(link, "\n"), "\t")
		}
		a, there := came[strings.TrimPrefix(name, "/")]
		have := sha256.Sum256(a.Data)
		switch sums++; {
		case !there:
			partial("file-missing", "a file of the list did not come")
		case isLink && a.Attrs["link"] != sum, !isLink && hex.EncodeToString(have[:]) != sum:
			partial("changed-while-read", "a file changed while it was read, twice")
		}
	}
	if sums != len(list) || len(came) != len(list) {
		partial("count-differs", fmt.Sprintf("%d files are in the list, %d came", len(list), len(came)))
	}
	for _, name := range []string{"etc/config/network", "etc/config/system"} {
		if _, ok := came[name]; !ok {
			partial("artefact-missing", "/"+name+" is not there")
		}
	}
	x.FactoryDefault = len(came) > 0 && factoryDefault(came)
	for _, e := range []struct{ name, piece, source string }{
		{artBoard, "board", "ubus call system board"}, {artPackages, "packages", "opkg list-installed, or apk list -I"},
		{artServices, "services", "ls /etc/rc.d"}, {artChanges, "changes", "uci changes"},
	} {
		bind := plugins.Bind("")
		if e.name == artBoard || e.name == artPackages {
			bind = plugins.BindVersion
		}
		if p.OK(e.piece) && (e.name != artChanges || len(p[e.piece].Data) > 0) {
			x.Artefacts = append(x.Artefacts, plugins.Artefact{Name: e.name, Role: plugins.RoleState, Bind: bind, Source: e.source, Data: p[e.piece].Data})
		}
	}
	return x, list
}

// unpack reads files and links of an archive.
func unpack(data []byte) ([]plugins.Artefact, error) {
	var out []plugins.Artefact
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			slices.SortFunc(out, func(a, b plugins.Artefact) int { return strings.Compare(a.Name, b.Name) })
			return out, nil
		}
		if err != nil {
			return out, err
		}
		a := plugins.Artefact{Name: strings.TrimPrefix(h.Name, "./"), Role: plugins.RoleFile, Attrs: map[string]string{
			"mode": "0" + strconv.FormatInt(h.Mode&0o7777, 8), "owner": owner(h.Uname, h.Uid), "group": owner(h.Gname, h.Gid),
		}}
		a.Source = "/" + a.Name
		if unitBound(a.Name) {
			a.Bind = plugins.BindUnit
		}
		switch h.Typeflag {
		case tar.TypeReg:
			if a.Data, err = io.ReadAll(r); err != nil {
				return out, err
			}
		case tar.TypeSymlink:
			a.Attrs["link"] = h.Linkname
		default:
			continue
		}
		out = append(out, a)
	}
}

func owner(name string, id int) string {
	if name != "" {
		return name
	}
	return strconv.Itoa(id)
}

// factoryDefault: nobody has set a password, and the device has no name.
func factoryDefault(files map[string]plugins.Artefact) bool {
	shadow := string(files["etc/shadow"].Data)
	return strings.Contains("\n"+shadow, "\nroot::") && strings.Contains(string(files["etc/config/system"].Data), "option hostname 'OpenWrt'")
}

var partitionLine = regexp.MustCompile(`(?m)^mtd(\d+): ([0-9a-f]{8}) [0-9a-f]{8} "([^"\n]+)"$`)

// partitions keeps the partitions of calibration data and addresses.
func partitions(ctx context.Context, s plugins.Session, x *plugins.Export, mtd string) error {
	for _, m := range partitionLine.FindAllStringSubmatch(mtd, -1) {
		name := strings.ToLower(strings.TrimPrefix(m[3], "0:"))
		size, err := strconv.ParseInt(m[2], 16, 64)
		if err != nil || size > 2<<20 || !slices.Contains([]string{"art", "factory", "caldata", "calibration", "radio", "eeprom"}, name) {
			continue
		}
		out, err := s.Run(ctx, plugins.Command{Text: "cat /dev/mtd" + m[1] + "ro"})
		if err != nil {
			return err
		}
		if !out.OK() || int64(len(out.Stdout)) != size {
			x.Verdict = plugins.Partial
			x.Reasons = append(x.Reasons, plugins.Reason{Code: "partition-cut", Text: "a partition of calibration data could not be read whole"})
			continue
		}
		x.Artefacts = append(x.Artefacts, plugins.Artefact{Name: "mtd/" + name, Role: plugins.RoleState, Bind: plugins.BindUnit, Source: "/dev/mtd" + m[1] + "ro", Data: out.Stdout})
	}
	return nil
}
