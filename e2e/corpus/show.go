package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// readShow reads the interfaces from what a device printed, or nothing if the
// file is of another command.
func readShow(path string) ([]Leaf, error) {
	name := filepath.Base(path)
	var read func([]byte) ([]Leaf, error)
	switch {
	case strings.HasPrefix(name, "show_interfaces___json"):
		read = eosInterfaces
	case strings.HasPrefix(name, "show_interfaces___display_json"):
		read = junosInterfaces
	case name == "show_interfaces.txt":
		read = iosInterfaces
	case name == "show_ip_interfaces.txt" || name == "show_ipv6_interfaces.txt":
		read = sonicInterfaces
	default:
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return read(text)
}

// address makes an address leaf in one form; link-local addresses are made by
// the device itself.
func address(iface, text string) (Leaf, bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().IsLinkLocalUnicast() {
		return Leaf{}, false
	}
	if p.Addr().Is4() {
		return Leaf{iface, leafIPv4, p.String()}, true
	}
	return Leaf{iface, leafIPv6, p.String()}, true
}

func eosInterfaces(text []byte) ([]Leaf, error) {
	type ip struct {
		Address string
		MaskLen int
	}
	var all struct {
		Interfaces map[string]struct {
			Description, InterfaceStatus string
			MTU                          int
			InterfaceAddress             []struct {
				PrimaryIP               ip `json:"primaryIp"`
				SecondaryIPsOrderedList []ip
			}
			InterfaceAddressIP6 struct {
				GlobalUnicastIP6s []struct{ Address, Subnet string }
			} `json:"interfaceAddressIp6"`
		}
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	var out []Leaf
	for name, i := range all.Interfaces {
		out = append(out, Leaf{name, leafName, name}, Leaf{name, leafEnabled, strconv.FormatBool(i.InterfaceStatus != "disabled")}, Leaf{name, leafMTU, strconv.Itoa(i.MTU)})
		if i.Description != "" {
			out = append(out, Leaf{name, leafDescription, i.Description})
		}
		for _, a := range i.InterfaceAddress {
			for _, ip := range append(a.SecondaryIPsOrderedList, a.PrimaryIP) {
				if l, ok := address(name, fmt.Sprintf("%s/%d", ip.Address, ip.MaskLen)); ok && ip.Address != "0.0.0.0" {
					out = append(out, l)
				}
			}
		}
		for _, a := range i.InterfaceAddressIP6.GlobalUnicastIP6s {
			_, bits, _ := strings.Cut(a.Subnet, "/")
			if l, ok := address(name, a.Address+"/"+bits); ok {
				out = append(out, l)
			}
		}
	}
	return out, nil
}

var (
	iosHead    = regexp.MustCompile(`^(\S+) is (.*), line protocol is `)
	iosDesc    = regexp.MustCompile(`^  Description: (.*?)\s*$`)
	iosAddress = regexp.MustCompile(`^  (?:Internet address is|Secondary address) (\S+/\d+)`)
	iosMTU     = regexp.MustCompile(`^  MTU (\d+) bytes`)
)

// iosInterfaces reads "show interfaces" of IOS and IOS-XR.
func iosInterfaces(text []byte) ([]Leaf, error) {
	var out []Leaf
	name := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if m := iosHead.FindStringSubmatch(line); m != nil {
			name = m[1]
			out = append(out, Leaf{name, leafName, name}, Leaf{name, leafEnabled, strconv.FormatBool(m[2] != "administratively down")})
		} else if m := iosDesc.FindStringSubmatch(line); m != nil {
			out = append(out, Leaf{name, leafDescription, m[1]})
		} else if m := iosMTU.FindStringSubmatch(line); m != nil {
			out = append(out, Leaf{name, leafMTU, m[1]})
		} else if m := iosAddress.FindStringSubmatch(line); m != nil {
			if l, ok := address(name, m[1]); ok {
				out = append(out, l)
			}
		}
	}
	return out, nil
}

type junosText []struct{ Data string }

func (t junosText) String() string {
	if len(t) == 0 {
		return ""
	}
	return t[0].Data
}

func junosInterfaces(text []byte) ([]Leaf, error) {
	type iface struct {
		Name, Description junosText
		Admin             junosText `json:"admin-status"`
		MTU               junosText
		Logical           []struct {
			Name, Description junosText
			Family            []struct {
				Address []struct {
					Local       junosText `json:"ifa-local"`
					Destination junosText `json:"ifa-destination"`
				} `json:"interface-address"`
			} `json:"address-family"`
		} `json:"logical-interface"`
	}
	var all struct {
		Information []struct {
			Physical []iface `json:"physical-interface"`
		} `json:"interface-information"`
	}
	// Behind the value the prompt's "{master}" may stand.
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&all); err != nil {
		return nil, err
	}
	var out []Leaf
	for _, i := range all.Information {
		for _, p := range i.Physical {
			name := p.Name.String()
			out = append(out, Leaf{name, leafName, name}, Leaf{name, leafEnabled, strconv.FormatBool(p.Admin.String() != "down")}, Leaf{name, leafMTU, p.MTU.String()})
			if d := p.Description.String(); d != "" {
				out = append(out, Leaf{name, leafDescription, d})
			}
			for _, l := range p.Logical {
				unit := l.Name.String()
				out = append(out, Leaf{unit, leafName, unit})
				if d := l.Description.String(); d != "" {
					out = append(out, Leaf{unit, leafDescription, d})
				}
				for _, f := range l.Family {
					for _, a := range f.Address {
						_, bits, ok := strings.Cut(a.Destination.String(), "/")
						if !ok { // a host route is printed without its length
							bits = map[bool]string{true: "128", false: "32"}[strings.Contains(a.Local.String(), ":")]
						}
						if leaf, ok := address(unit, a.Local.String()+"/"+bits); ok {
							out = append(out, leaf)
						}
					}
				}
			}
		}
	}
	return out, nil
}

var sonicLine = regexp.MustCompile(`^(\S+)\s+(\S+/\d+)\s.*\s(up|down)/(?:up|down)\s`)

func sonicInterfaces(text []byte) ([]Leaf, error) {
	var out []Leaf
	for line := range strings.Lines(string(text) + "\n") {
		m := sonicLine.FindStringSubmatch(line)
		if m == nil || m[1] == "lo" || m[1] == "docker0" {
			continue
		}
		if l, ok := address(m[1], m[2]); ok {
			out = append(out, Leaf{m[1], leafName, m[1]}, l)
		}
	}
	return out, nil
}

// treeLeaves reads the leaves of interfaces from a normalised tree.
func treeLeaves(tree []byte) ([]Leaf, error) {
	type family struct {
		Address []struct {
			IP     string `json:"ip"`
			Length int    `json:"prefix-length"`
		}
	}
	var all struct {
		Interfaces struct {
			Interface []struct {
				Name, Description string
				Enabled           *bool
				MTU               int
				IPv4, IPv6        family
			}
		} `json:"cfgvault-interfaces:interfaces"`
	}
	if err := json.Unmarshal(tree, &all); err != nil {
		return nil, err
	}
	var out []Leaf
	for _, i := range all.Interfaces.Interface {
		out = append(out, Leaf{i.Name, leafName, i.Name})
		if i.Description != "" {
			out = append(out, Leaf{i.Name, leafDescription, i.Description})
		}
		if i.Enabled != nil {
			out = append(out, Leaf{i.Name, leafEnabled, strconv.FormatBool(*i.Enabled)})
		}
		if i.MTU != 0 {
			out = append(out, Leaf{i.Name, leafMTU, strconv.Itoa(i.MTU)})
		}
		for _, f := range []family{i.IPv4, i.IPv6} {
			for _, a := range f.Address {
				if l, ok := address(i.Name, fmt.Sprintf("%s/%d", a.IP, a.Length)); ok {
					out = append(out, l)
				}
			}
		}
	}
	return out, nil
}
