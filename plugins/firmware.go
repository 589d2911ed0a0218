package plugins

import (
	"context"
	"errors"
	"regexp"
	"strings"
)

// FirmwareArtefact is the name of the artefact, of role state and bound to the
// version, in which a driver that can tell keeps which firmware the unit runs:
// the lines in which it names release, build and image and, where it was asked
// to compute one, a line "sha512 HEX NAME" with the digest of the image. Nothing
// in it says which unit it is: units that run the same have the same.
const FirmwareArtefact = "cfgvault/firmware"

// OptImageHash is the option by which a driver is asked to let the unit compute
// the digest of its image at each backup: that reads the whole image, which
// takes a unit from seconds to minutes.
const OptImageHash = "image-hash"

// NewFirmwareArtefact keeps the lines of out that match, blanks folded, and then
// digests. It is false if there is none.
func NewFirmwareArtefact(source, out string, lines *regexp.Regexp, digests ...string) (Artefact, bool) {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if text := strings.Join(strings.Fields(line), " "); lines.MatchString(text) {
			b.WriteString(text + "\n")
		}
	}
	for _, d := range digests {
		b.WriteString(d + "\n")
	}
	return Artefact{Name: FirmwareArtefact, Role: RoleState, Bind: BindVersion, Source: source, Data: []byte(b.String())}, b.Len() > 0
}

// KeepFirmware runs the command by which a unit tells its firmware, and keeps
// what it says. image, which may be nil, reads from the answer how to have the
// image's digest computed: the command, the kind of the digest and the image's
// name; the answer to that is searched for as many hexadecimal digits. What the
// unit does not tell is left out.
func KeepFirmware(ctx context.Context, s Session, e *Export, command string, lines *regexp.Regexp, image func(said string) (command, kind, name string)) error {
	out, err := s.Run(ctx, Command{Text: command})
	if err != nil || !out.OK() {
		return firmwareLost(ctx, e, command, err)
	}
	var digests []string
	if image != nil {
		verify, kind, name := image(string(out.Stdout))
		if digit := digits[kind]; digit != nil && verify != "" {
			sum, err := s.Run(ctx, Command{Text: verify})
			if err != nil || !sum.OK() {
				return firmwareLost(ctx, e, verify, err)
			}
			if m := digit.FindStringSubmatch(string(sum.Stdout)); m != nil {
				digests = append(digests, kind+" "+strings.ToLower(m[1])+" "+name)
			} else {
				e.Reasons = append(e.Reasons, Reason{Code: "no-digest", Text: "the unit does not tell the " + kind + " of its image"})
			}
		}
	}
	if a, ok := NewFirmwareArtefact(command, string(out.Stdout), lines, digests...); ok {
		e.Artefacts = append(e.Artefacts, a)
	}
	return nil
}

var digits = map[string]*regexp.Regexp{
	"md5":    regexp.MustCompile(`\b([0-9a-fA-F]{32})\b`),
	"sha256": regexp.MustCompile(`\b([0-9a-fA-F]{64})\b`),
	"sha512": regexp.MustCompile(`\b([0-9a-fA-F]{128})\b`),
}

func firmwareLost(ctx context.Context, e *Export, command string, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		e.Reasons = append(e.Reasons, Reason{Code: "cut", Text: "the output of " + command + " stops before its end was proved"})
	case errors.Is(err, ErrSessionLost):
		e.Reasons = append(e.Reasons, Reason{Code: "connection-lost", Text: "the connection went away while the firmware was read"})
	default:
		e.Reasons = append(e.Reasons, Reason{Code: "read-failed", Text: "the firmware could not be read"})
	}
	return nil
}

var digestLine = regexp.MustCompile(`(?m)^(md5|sha256|sha512) ([0-9a-f]{32,128}) `)

// ImageDigest is the digest of the image that a unit runs, "sha512:HEX"; "" if
// none was computed.
func ImageDigest(native []Artefact) string {
	for _, a := range native {
		if a.Name == FirmwareArtefact && a.Role == RoleState {
			if m := digestLine.FindSubmatch(a.Data); m != nil {
				return string(m[1]) + ":" + string(m[2])
			}
		}
	}
	return ""
}
