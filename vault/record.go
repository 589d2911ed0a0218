package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kinds of records.
const (
	recordOpen = "open" // a run begins: proves the right to write
	recordRun  = "run"  // a run has ended
)

// fullEvery is how often a run record holds the full state.
const fullEvery = 7

const unknownPrevious = "unknown"

// record is one link in an agent's chain.
type record struct {
	vault    string
	key      string // id of the agent key
	epoch    string
	seq      int
	previous string // SHA-256 of the record before as stored, or "unknown"
	kind     string
	time     time.Time
	due      time.Time // when the successor is due; zero: no promise
	devices  int       // in the state
	root     string    // SHA-256 of the state's listing

	changes  []Entry // by key
	failures []deviceCode
	except   bool     // seen names the devices of the state that were not seen
	seen     []string // sorted
	full     []Entry  // the whole state, if hasFull
	hasFull  bool
}

type deviceCode struct {
	device string
	code   Code
}

// entryLine is how records and the state's listing name a snapshot.
func entryLine(e Entry) string {
	return e.Object + " " + e.SHA256 + " " + strconv.FormatInt(e.Size, 10) + " " + string(e.Kind) + " " + string(e.Verdict) +
		" " + joinCodes(e.Held) + " " + joinCodes(e.Limits)
}

// joinCodes is the spelling of codes in an entry: joined by commas, "-" for none.
func joinCodes(codes []Code) string {
	if len(codes) == 0 {
		return "-"
	}
	words := make([]string, len(codes))
	for i, c := range codes {
		words[i] = string(c)
	}
	return strings.Join(words, ",")
}

func splitCodes(s string) ([]Code, error) {
	if s == "-" {
		return nil, nil
	}
	var codes []Code
	for c := range strings.SplitSeq(s, ",") {
		if err := checkCode(Code(c)); err != nil {
			return nil, err
		}
		codes = append(codes, Code(c))
	}
	return codes, nil
}

func parseEntryLine(line string) (Entry, error) {
	var f [7]string
	rest := line
	for i := range f {
		var more bool
		f[i], rest, more = strings.Cut(rest, " ")
		if more != (i < len(f)-1) {
			return Entry{}, fmt.Errorf("entry has not 7 fields")
		}
	}
	e := Entry{Object: f[0], SHA256: f[1], Kind: Kind(f[3]), Verdict: Verdict(f[4])}
	device, t, hash, err := parseSnapshotKey(e.Object)
	if err != nil {
		return Entry{}, err
	}
	e.Device, e.Time = device, t
	if len(e.SHA256) != 2*sha256.Size || !isHex(e.SHA256) || e.SHA256[:hashDigits] != hash {
		return Entry{}, fmt.Errorf("hash of %s does not fit its name", e.Object)
	}
	if e.Size, err = strconv.ParseInt(f[2], 10, 64); err != nil || e.Size < 0 || f[2] != strconv.FormatInt(e.Size, 10) {
		return Entry{}, fmt.Errorf("size of %s is not a number", e.Object)
	}
	if !validKind(e.Kind) || !validVerdict(e.Verdict) {
		return Entry{}, fmt.Errorf("kind or verdict of %s is unknown", e.Object)
	}
	if e.Held, err = splitCodes(f[5]); err != nil {
		return Entry{}, err
	}
	e.Limits, err = splitCodes(f[6])
	return e, err
}

// listing is the canonical text of a state: the newest entry of each device,
// in the order of their keys.
func listing(state []Entry) string {
	var b strings.Builder
	for _, e := range state {
		b.WriteString(entryLine(e))
		b.WriteByte('\n')
	}
	return b.String()
}

func rootHash(state []Entry) string {
	sum := sha256.Sum256([]byte(listing(state)))
	return hex.EncodeToString(sum[:])
}

func sortEntries(list []Entry) {
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Object, b.Object) })
}

// text is the one spelling of the record.
func (r *record) text() string {
	var b strings.Builder
	b.WriteString(header("record", r.vault))
	fmt.Fprintf(&b, "key %s\nepoch %s\nseq %d\nprevious %s\nkind %s\ntime %s\nnext %s\ndevices %d\nroot %s\n",
		r.key, r.epoch, r.seq, r.previous, r.kind, formatTime(r.time), formatTime(r.due), r.devices, r.root)
	fmt.Fprintf(&b, "changes %d\n%s", len(r.changes), listing(r.changes))
	fmt.Fprintf(&b, "failures %d\n", len(r.failures))
	for _, f := range r.failures {
		b.WriteString(f.device + " " + string(f.code) + "\n")
	}
	word := "only"
	if r.except {
		word = "except"
	}
	fmt.Fprintf(&b, "seen-%s %d\n", word, len(r.seen))
	for _, d := range r.seen {
		b.WriteString(d + "\n")
	}
	if r.hasFull {
		fmt.Fprintf(&b, "state %d\n%s", len(r.full), listing(r.full))
	}
	return b.String()
}

func (r *reader) entries(name string) []Entry {
	n := r.number(name)
	if n > len(r.rest) {
		r.fail("%s: more than there are", name)
	}
	var list []Entry
	for i := 0; i < n && r.err == nil; i++ {
		line := r.next()
		if r.err != nil {
			break
		}
		e, err := parseEntryLine(line)
		if err != nil {
			r.fail("%v", err)
			break
		}
		if len(list) > 0 && list[len(list)-1].Object >= e.Object {
			r.fail("%s is out of order", e.Object)
		}
		list = append(list, e)
	}
	return list
}

// parseRecord reads a record's text and refuses every spelling but the one
// that text writes.
func parseRecord(text string) (*record, error) {
	in := &reader{rest: text}
	r := &record{}
	r.vault = in.header("record")
	r.key = in.field("key")
	r.epoch = in.field("epoch")
	r.seq = in.number("seq")
	r.previous = in.field("previous")
	r.kind = in.field("kind")
	r.time = in.time("time")
	r.due = in.time("next")
	r.devices = in.number("devices")
	r.root = in.field("root")
	r.changes = in.entries("changes")
	n := in.number("failures")
	for i := 0; i < n && in.err == nil; i++ {
		device, code, _ := strings.Cut(in.next(), " ")
		if in.err == nil && (!idPattern.MatchString(device) || checkCode(Code(code)) != nil) {
			in.fail("not a failure")
		}
		r.failures = append(r.failures, deviceCode{device, Code(code)})
	}
	r.except = in.more("seen-except")
	if r.except {
		n = in.number("seen-except")
	} else {
		n = in.number("seen-only")
	}
	for i := 0; i < n && in.err == nil; i++ {
		device := in.next()
		if in.err == nil && !idPattern.MatchString(device) {
			in.fail("not a device id")
		}
		r.seen = append(r.seen, device)
	}
	if in.more("state") {
		r.hasFull = true
		r.full = in.entries("state")
	}
	if err := in.end(); err != nil {
		return nil, err
	}
	switch {
	case r.kind != recordOpen && r.kind != recordRun:
		return nil, fmt.Errorf("kind %q of record is unknown", r.kind)
	case r.seq < 1 || r.time.IsZero():
		return nil, fmt.Errorf("record without a number or time")
	case !isHex(r.epoch) || len(r.epoch) != epochDigits:
		return nil, fmt.Errorf("epoch %q is not one", r.epoch)
	case !slices.IsSorted(r.seen), !slices.IsSortedFunc(r.failures, func(a, b deviceCode) int { return strings.Compare(a.device, b.device) }):
		return nil, fmt.Errorf("devices are out of order")
	case r.text() != text:
		return nil, fmt.Errorf("not in the one spelling of a record")
	}
	return r, nil
}

const (
	epochDigits = 16
	seqDigits   = 8
	maxRecord   = 64 << 20
)

// recordName is where a record lies.
type recordName struct {
	key, epoch string
	seq        int
	hash       string // first 128 bits, hex
}

func (n recordName) String() string {
	return fmt.Sprintf("runs/%s/%s/%0*d-%s", n.key, n.epoch, seqDigits, n.seq, n.hash)
}

func parseRecordName(key string) (recordName, error) {
	bad := fmt.Errorf("%q is not the key of a record", key)
	part := strings.Split(key, "/")
	if len(part) != 4 || part[0] != "runs" {
		return recordName{}, bad
	}
	seq, hash, ok := strings.Cut(part[3], "-")
	n := recordName{key: part[1], epoch: part[2], hash: hash}
	var err error
	n.seq, err = strconv.Atoi(seq)
	if !ok || err != nil || n.seq < 1 || !isHex(n.hash) || len(n.hash) != hashDigits ||
		!isHex(n.key) || len(n.key) != keyIDDigits || !isHex(n.epoch) || len(n.epoch) != epochDigits || n.String() != key {
		return recordName{}, bad
	}
	return n, nil
}

// hashName is how an object's name tells its content.
func hashName(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])[:hashDigits]
}

func hashHex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
