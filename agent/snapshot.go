package agent

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/cfgvault/cfgvault/plugins"
	"github.com/cfgvault/cfgvault/vault"
)

// Meta is what a snapshot says of itself beside its files. It is sealed.
type Meta struct {
	Name     string        `json:"name"` // of the device, then
	Driver   string        `json:"driver"`
	Version  string        `json:"driver-version"`
	Facts    plugins.Facts `json:"facts"`
	Firmware string        `json:"firmware,omitempty"` // identity of what the unit ran, see Firmware
	Held     []Held        `json:"held,omitempty"`
	Change   string        `json:"change,omitempty"` // of an undo: the change that it undoes
}

// The names of the files that are not artefacts.
const (
	treeFile     = "tree.json"
	residualFile = "residual.json"
)

// residual is residual.json.
type residual struct {
	Lines    []plugins.Line     `json:"lines"`
	Coverage []plugins.Coverage `json:"coverage"`
}

// Attributes of a file in a snapshot that are not the artefact's own.
const (
	attrRole   = "cfgvault-role"
	attrBind   = "cfgvault-bind"
	attrSource = "cfgvault-source"
)

// pack makes a snapshot of what was read from a device.
func pack(device string, kind vault.Kind, meta Meta, exp *plugins.Export, norm *plugins.Normalized) (*vault.Snapshot, error) {
	s := &vault.Snapshot{Device: device, Kind: kind, Verdict: vault.Verdict(exp.Verdict)}
	for _, r := range exp.Reasons {
		s.Reasons = append(s.Reasons, vault.Reason{Code: vault.Code(r.Code), Text: r.Text})
	}
	for _, h := range meta.Held {
		s.Held = append(s.Held, vault.Code(h.Code))
		s.Reasons = append(s.Reasons, vault.Reason{Code: vault.Code(h.Code), Text: h.Text})
	}
	for _, r := range exp.NoRestore {
		s.Limits = append(s.Limits, vault.Code(r.Code))
		s.Reasons = append(s.Reasons, vault.Reason{Code: vault.Code(r.Code), Text: r.Text})
	}
	var err error
	if s.Meta, err = json.Marshal(meta); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	for _, a := range exp.Artefacts {
		attrs := maps.Clone(a.Attrs)
		if attrs == nil {
			attrs = map[string]string{}
		}
		attrs[attrRole] = string(a.Role)
		attrs[attrSource] = a.Source
		if a.Bind != "" {
			attrs[attrBind] = string(a.Bind)
		}
		s.Files = append(s.Files, vault.File{Name: a.Name, Kind: vault.Native, Attrs: attrs, Data: a.Data})
	}
	if norm != nil {
		data, err := json.Marshal(residual{norm.Residual, norm.Coverage})
		if err != nil {
			return nil, fmt.Errorf("snapshot: %w", err)
		}
		s.Files = append(s.Files,
			vault.File{Name: treeFile, Kind: vault.Tree, Data: norm.Tree},
			vault.File{Name: residualFile, Kind: vault.Residual, Data: data})
	}
	return s, nil
}

// unpack is the inverse of pack: the artefacts and what the snapshot says of
// itself.
func unpack(s *vault.Snapshot) (Meta, []plugins.Artefact, error) {
	var meta Meta
	if err := json.Unmarshal(s.Meta, &meta); err != nil {
		return meta, nil, fmt.Errorf("snapshot: meta data: %w", err)
	}
	var artefacts []plugins.Artefact
	for _, f := range s.Files {
		if f.Kind != vault.Native {
			continue
		}
		a := plugins.Artefact{Name: f.Name, Data: f.Data,
			Role: plugins.Role(f.Attrs[attrRole]), Bind: plugins.Bind(f.Attrs[attrBind]), Source: f.Attrs[attrSource]}
		for k, v := range f.Attrs {
			if k != attrRole && k != attrBind && k != attrSource {
				if a.Attrs == nil {
					a.Attrs = map[string]string{}
				}
				a.Attrs[k] = v
			}
		}
		artefacts = append(artefacts, a)
	}
	return meta, artefacts, nil
}

// file returns the first file of a kind, or nil.
func file(s *vault.Snapshot, kind vault.FileKind) []byte {
	for _, f := range s.Files {
		if f.Kind == kind {
			return f.Data
		}
	}
	return nil
}
