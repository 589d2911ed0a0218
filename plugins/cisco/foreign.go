package cisco

import "regexp"

// foreign are the marks by which configurations of other platforms are known.
var foreign = []struct {
	re   *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`(?m)^! device: .*EOS-`), "EOS"},
	{regexp.MustCompile(`(?m)^!! ?IOS XR Configuration`), "IOS-XR"},
	{regexp.MustCompile(`(?m)^!Command: show `), "NX-OS"},
	{regexp.MustCompile(`(?m)^Current configuration : \d+ bytes`), "IOS"},
	{regexp.MustCompile(`(?m)^(?:## Last c|set version |(?:system|interfaces) \{$)`), "Junos"},
	{regexp.MustCompile(`(?m)^frr version `), "FRR"},
	{regexp.MustCompile(`(?m)^# .* by RouterOS `), "RouterOS"},
}

// LooksLike names another platform than the own one whose configuration a text
// is, or "".
func LooksLike(text []byte, own string) string {
	for _, p := range foreign {
		if p.name != own && p.re.Match(text) {
			return p.name
		}
	}
	return ""
}
