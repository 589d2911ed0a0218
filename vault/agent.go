package vault

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	fileChain   = "chain.json"
	chainFormat = "cfgvault chain 1"
	statePrefix = "state-"
)

// chain is how far this agent's records have come. It is one small file,
// replaced atomically; it names the state file that belongs to it, so that
// both change at once.
type chain struct {
	Format    string    `json:"format"`
	Secret    []byte    `json:"secret"` // key of digests
	Epoch     string    `json:"epoch"`
	Seq       int       `json:"seq"`        // of the last record
	Previous  string    `json:"previous"`   // its SHA-256, or "unknown"
	Time      time.Time `json:"time"`       // its time
	Due       time.Time `json:"due"`        // when it said its successor is due
	SinceFull int       `json:"since-full"` // run records since one held the full state
	State     string    `json:"state"`      // state file; empty: no device yet
	// Pending is a record that was decided but may not be in the store yet.
	// Nothing else is written before it is.
	Pending *pendingRecord `json:"pending,omitempty"`
}

type pendingRecord struct {
	Key  string `json:"key"`
	Data []byte `json:"data"`
}

// agentState is what an agent remembers between runs.
type agentState struct {
	chain   chain
	devices map[string]DeviceState
}

// entries is the state as records list it.
func (a *agentState) entries() []Entry {
	list := make([]Entry, 0, len(a.devices))
	for _, d := range slices.Sorted(maps.Keys(a.devices)) {
		list = append(list, a.devices[d].Entry)
	}
	sortEntries(list)
	return list
}

// state returns the agent's state, read at first use.
func (v *Vault) state() (*agentState, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.agent == nil {
		a, err := loadAgent(v.home)
		if err != nil {
			return nil, err
		}
		v.agent = a
	}
	return v.agent, nil
}

func loadAgent(h *home) (*agentState, error) {
	c, err := loadChain(h)
	if errors.Is(err, fs.ErrNotExist) {
		return newAgent(h)
	}
	if err != nil {
		return nil, err
	}
	a := &agentState{chain: *c, devices: map[string]DeviceState{}}
	if c.State == "" {
		return a, nil
	}
	path := h.path(dirAgent, filepath.Base(c.State))
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, h.damaged(path, err)
	}
	if a.devices, err = parseState(string(data)); err != nil {
		return nil, h.damaged(path, err)
	}
	return a, nil
}

// loadChain reads how far the chain has come; fs.ErrNotExist if there is none.
func loadChain(h *home) (*chain, error) {
	path := h.path(dirAgent, fileChain)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("agent state: %w", err)
	}
	c := &chain{}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, h.damaged(path, err)
	}
	if c.Format != chainFormat || len(c.Secret) != sha256.Size || len(c.Epoch) != epochDigits || c.Seq < 0 {
		return nil, h.damaged(path, nil)
	}
	return c, nil
}

func (h *home) damaged(path string, err error) error {
	return &IntegrityError{Object: path, What: "agent state is damaged; move the folder " + h.path(dirAgent) +
		" away to begin a new chain, which costs one object per device", Err: err}
}

// newAgent begins a new chain and makes it durable at once: a second look must
// find the same secret and epoch.
func newAgent(h *home) (*agentState, error) {
	a := &agentState{devices: map[string]DeviceState{}}
	var epoch [epochDigits / 2]byte
	secret := make([]byte, sha256.Size)
	rand.Read(epoch[:])
	rand.Read(secret)
	a.chain = chain{Format: chainFormat, Secret: secret, Epoch: hex.EncodeToString(epoch[:]), Previous: unknownPrevious}
	if err := os.MkdirAll(h.path(dirAgent), 0o700); err != nil {
		return nil, fmt.Errorf("agent state: %w", err)
	}
	data, err := json.Marshal(a.chain)
	if err != nil {
		return nil, err
	}
	// Two processes may both find nothing; the first one's chain counts.
	err = createFile(h.path(dirAgent, fileChain), data)
	if errors.Is(err, fs.ErrExist) {
		return loadAgent(h)
	}
	if err != nil {
		return nil, fmt.Errorf("agent state: %w", err)
	}
	return a, nil
}

// saveChain makes the chain durable.
func (h *home) saveChain(c chain) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := h.save(h.path(dirAgent, fileChain), data); err != nil {
		return fmt.Errorf("agent state: %w", err)
	}
	return nil
}

// saveState writes the devices to a new file and returns its name. The file
// counts once a chain names it.
func (h *home) saveState(seq int, devices map[string]DeviceState) (string, error) {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(devices)) {
		d := devices[id]
		digest, guard := d.Digest, "-"
		if digest == "" {
			digest = "-"
		}
		if d.Guard != nil {
			guard = "=" + base64.StdEncoding.EncodeToString(d.Guard)
		}
		b.WriteString(entryLine(d.Entry) + " " + digest + " " + guard + "\n")
	}
	sum := sha256.Sum256([]byte(b.String()))
	b.WriteString("sha256 " + hex.EncodeToString(sum[:]) + "\n")
	var tail [4]byte
	rand.Read(tail[:])
	name := fmt.Sprintf("%s%0*d-%x", statePrefix, seqDigits, seq, tail)
	if err := h.save(h.path(dirAgent, name), []byte(b.String())); err != nil {
		return "", fmt.Errorf("agent state: %w", err)
	}
	return name, nil
}

func parseState(text string) (map[string]DeviceState, error) {
	at := strings.LastIndex(text, "sha256 ")
	if at < 0 {
		return nil, errors.New("ends early")
	}
	sum := sha256.Sum256([]byte(text[:at]))
	if text[at:] != "sha256 "+hex.EncodeToString(sum[:])+"\n" {
		return nil, errors.New("checksum is wrong")
	}
	devices := map[string]DeviceState{}
	for line := range strings.Lines(text[:at]) {
		line = strings.TrimSuffix(line, "\n")
		rest, guard, ok1 := cutLast(line)
		entry, digest, ok2 := cutLast(rest)
		e, err := parseEntryLine(entry)
		if err != nil {
			return nil, fmt.Errorf("a line is no device: %w", err)
		}
		if !ok1 || !ok2 {
			return nil, errors.New("a line is no device")
		}
		d := DeviceState{Digest: digest, Entry: e}
		if digest == "-" {
			d.Digest = ""
		}
		if g, ok := strings.CutPrefix(guard, "="); ok {
			if d.Guard, err = base64.StdEncoding.DecodeString(g); err != nil {
				return nil, errors.New("a guard is damaged")
			}
		}
		devices[e.Device] = d
	}
	return devices, nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// dropOldStates removes state files that the chain does not name.
func (h *home) dropOldStates(keep string) {
	names, err := os.ReadDir(h.path(dirAgent))
	if err != nil {
		return
	}
	for _, n := range names {
		if n.Name() != keep && (strings.HasPrefix(n.Name(), statePrefix) || strings.HasPrefix(n.Name(), ".tmp-")) {
			os.Remove(h.path(dirAgent, n.Name()))
		}
	}
}
