package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	fileCache   = "records"
	cacheHeader = "cfgvault cache 1"
)

// cache keeps what verified records said, so that they are read and verified
// once per home. It lies in the home, which is trusted, and may be deleted. It
// belongs to one trust: another one may believe other records.
type cache struct {
	trust    string // SHA-256 of the trust
	chains   map[string]*chainView
	receipts map[string]Receipt
	changed  bool
}

func newCache(trust string) *cache {
	return &cache{trust: trust, chains: map[string]*chainView{}, receipts: map[string]Receipt{}}
}

func (c *cache) keep(view *chainView, fresh bool) {
	if c.chains[view.id()] != view || fresh {
		c.chains[view.id()] = view
		c.changed = true
	}
}

func (c *cache) drop(id string) {
	if c.chains[id] != nil {
		delete(c.chains, id)
		c.changed = true
	}
}

// loadCache returns an empty cache if there is none for this trust or if it is
// damaged: reading everything again is always right.
func (h *home) loadCache(trust string) *cache {
	data, err := readFile(h.path(dirCache, fileCache))
	if err != nil || data == nil {
		return newCache(trust)
	}
	c, err := parseCache(data, trust)
	if err != nil {
		return newCache(trust)
	}
	return c
}

// saveCache keeps the cache if it can. A full disk or a missing folder costs
// time at the next reading and must not stand in the way of a restore.
func (h *home) saveCache(c *cache) {
	if !c.changed || os.MkdirAll(h.path(dirCache), 0o700) != nil {
		return
	}
	if h.save(h.path(dirCache, fileCache), c.marshal()) == nil {
		c.changed = false
	}
}

func (c *cache) marshal() []byte {
	var b bytes.Buffer
	b.WriteString(cacheHeader + " " + c.trust + "\n")
	for _, id := range slices.Sorted(maps.Keys(c.chains)) {
		v := c.chains[id]
		fmt.Fprintf(&b, "chain %s %s %s\n", v.key, v.epoch, v.root)
		for _, r := range v.records {
			fmt.Fprintf(&b, "record %d %s %s %s %s\n", r.seq, r.hash, r.kind, formatTime(r.time), formatTime(r.due))
		}
		at := map[string]int{}
		for i, r := range v.records {
			at[r.name(v.key, v.epoch).String()] = i
		}
		for _, e := range v.entries {
			b.WriteString("entry " + strconv.Itoa(at[e.Run]) + " " + entryLine(e) + "\n")
		}
		for _, d := range slices.Sorted(maps.Keys(v.seen)) {
			b.WriteString("seen " + d + " " + strconv.FormatInt(v.seen[d].UnixMilli(), 10) + "\n")
		}
		for _, d := range slices.Sorted(maps.Keys(v.failed)) {
			b.WriteString("failed " + d + " " + strconv.FormatInt(v.failed[d].Time.UnixMilli(), 10) + " " + string(v.failed[d].Code) + "\n")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.receipts)) {
		if j, err := json.Marshal(c.receipts[name]); err == nil {
			b.WriteString("receipt " + string(j) + "\n")
		}
	}
	sum := sha256.Sum256(b.Bytes())
	b.WriteString("sha256 " + hex.EncodeToString(sum[:]) + "\n")
	return b.Bytes()
}

var errCache = errors.New("cache is damaged")

func parseCache(data []byte, trust string) (*cache, error) {
	at := bytes.LastIndex(data, []byte("sha256 "))
	if at < 0 {
		return nil, errCache
	}
	sum := sha256.Sum256(data[:at])
	if string(data[at:]) != "sha256 "+hex.EncodeToString(sum[:])+"\n" {
		return nil, errCache
	}
	c := newCache(trust)
	var v *chainView
	var names []string
	first := true
	for line := range strings.Lines(string(data[:at])) {
		line = strings.TrimSuffix(line, "\n")
		if first {
			if line != cacheHeader+" "+trust {
				return nil, errCache
			}
			first = false
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word == "chain" {
			f := strings.Fields(rest)
			if len(f) != 3 {
				return nil, errCache
			}
			v = newChainView(f[0], f[1])
			v.root = f[2]
			c.chains[v.id()] = v
			names = nil
			continue
		}
		if word == "receipt" {
			var r Receipt
			if json.Unmarshal([]byte(rest), &r) != nil {
				return nil, errCache
			}
			c.receipts[r.Object] = r
			continue
		}
		if v == nil || !v.parseCacheLine(word, rest, &names) {
			return nil, errCache
		}
	}
	return c, nil
}

func (c *chainView) parseCacheLine(word, rest string, names *[]string) bool {
	switch word {
	case "record":
		f := strings.Fields(rest)
		if len(f) != 5 || len(f[1]) != 2*sha256.Size {
			return false
		}
		seq, err := strconv.Atoi(f[0])
		t, err2 := time.Parse(recordTime, f[3])
		due, err3 := time.Time{}, error(nil)
		if f[4] != "none" {
			due, err3 = time.Parse(recordTime, f[4])
		}
		if err != nil || err2 != nil || err3 != nil {
			return false
		}
		r := chainRecord{seq, f[1], f[2], t, due}
		c.records = append(c.records, r)
		*names = append(*names, r.name(c.key, c.epoch).String())
	case "entry":
		num, line, _ := strings.Cut(rest, " ")
		i, err := strconv.Atoi(num)
		e, err2 := parseEntryLine(line)
		if err != nil || err2 != nil || i < 0 || i >= len(*names) {
			return false
		}
		c.add(e, (*names)[i])
	case "seen":
		d, ms, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseInt(ms, 10, 64)
		if err != nil {
			return false
		}
		c.seen[d] = time.UnixMilli(n).UTC()
	case "failed":
		f := strings.Fields(rest)
		if len(f) != 3 {
			return false
		}
		n, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			return false
		}
		c.failed[f[0]] = Failure{Time: time.UnixMilli(n).UTC(), Code: Code(f[2])}
	default:
		return false
	}
	return true
}
