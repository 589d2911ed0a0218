package junos

import "github.com/cfgvault/cfgvault/plugins"

// The artefacts that the driver knows by name.
const (
	configuration = "configuration"
	rescue        = "rescue-configuration"
	scripts       = "scripts" // folder of the artefacts that hold scripts
)

// readConfiguration prints the whole configuration, what "apply-flags omit"
// leaves out of other commands included.
const readConfiguration = "show configuration | display omit | no-more"

// readTail prints its last lines again: the proof that the first reading had
// an end, whatever the connection did.
const readTail = "show configuration | display omit | last 12 | no-more"

// Info declares the platform. Sources: Junos CLI reference and User Guide;
// sessions recorded on vSRX 17.3R2.10, cJunosEvolved 26.2R1 and vJunos-switch
// 23.2R1.
func (driver) Info() plugins.Info {
	return plugins.Info{
		Name:     "junos",
		Version:  "0.1.0",
		Vendor:   "Juniper",
		Platform: "Junos and Junos Evolved 15 and later, by the CLI",
		Tested:   plugins.TestedSimulator,
		Notes: []string{
			"The login lands in the CLI, not in a shell, and its class may see the whole configuration; a restore needs the permissions configure, control and maintenance.",
			"A restore replaces the whole configuration by a confirmed commit under exclusive lock; it is refused while somebody else edits.",
			"Between stage and commit a copy of the new configuration lies in the home folder of the login, readable by that login only.",
			"Not in a backup: keys and certificates of the PKI, SSH host keys, the master password (without it \"$8$\" secrets are of no use on another unit), files beyond the scripts. Scripts, rescue configuration and licences are kept and not put back.",
			"Statements that the unit does not support are ignored by Junos without an error: the plan lists them.",
			"What groups say is not read into the tree where apply-groups inherits it.",
			"Unconfirmed: that a line beginning with # is a comment at every prompt, the wording of file list and save, and the question on leaving an exclusive edit.",
			"On units with two routing engines the commit is that of the login; commit synchronize must be configured.",
		},
		Capabilities: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset},
		Transports:   []plugins.Transport{plugins.TransportShell, plugins.TransportTelnet, plugins.TransportConsole},
		Shell: plugins.Shell{
			Prompt:      `(?m)^(?:[\w.-]{1,64}@)?[\w.-]{1,64}> ?$`,
			Setup:       []string{"set cli screen-length 0", "set cli screen-width 0", "set cli complete-on-space off"},
			Pager:       `---\(more(?: \d+%)?\)---`,
			ContinueKey: " ",
			Sentinel:    "#%s",
			Exit:        "exit",
			CommandEcho: true,
			ModePrompt:  `(?m)^(?:[\w.-]{1,64}@)?[\w.-]{1,64}# ?$`,
			ErrorLine:   `(?m)^(?:error: |unknown command\.|syntax error)`,
		},
		MaxSessions: 4,
		Artefacts: []plugins.ArtefactSpec{
			{Name: configuration, Command: readConfiguration, Role: plugins.RoleRunning, Required: true, Terminator: `^\}$`},
			{Name: rescue, Command: "show system configuration rescue | no-more", Role: plugins.RoleFile},
			{Name: "license-keys", Command: "show system license keys | no-more", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: "version", Command: "show version | no-more", Role: plugins.RoleState},
			{Name: "hardware", Command: "show chassis hardware | no-more", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: "virtual-chassis", Command: "show virtual-chassis | no-more", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: plugins.PortsArtefact, Role: plugins.RoleState},
			{Name: plugins.FirmwareArtefact, Role: plugins.RoleState, Bind: plugins.BindVersion},
		},
		Volatile: []plugins.LineRule{
			{ID: "last-commit", Pattern: `^## Last (?:commit|changed): `, Why: "when and by whom the configuration was committed"},
			{ID: "version", Artefact: configuration, Pattern: `^version [\w.-]+;$`, Why: "the release that runs; a load ignores it (CLI reference, version)"},
			{ID: "license-counts", Artefact: "license-keys", Pattern: `^\s*(?:Licenses|.*\bused\b)`, Why: "how many licences are in use"},
		},
		Secrets:  secrets(),
		Rollback: plugins.RollbackDevice,
	}
}

// secrets: Junos marks most secrets with a trailing "## SECRET-DATA" and
// obscures or hashes them; the marks do not stand in the set form.
func secrets() []plugins.SecretRule {
	return []plugins.SecretRule{
		{ID: "marked", Pattern: `(\S+|"[^"]*");\s*## SECRET-DATA`},
		{ID: "obscured", Pattern: `("?\$[1-9][a-z]?\$[^\s;"]+"?)`},
		{ID: "password", Pattern: `\b(?:encrypted-password|plain-text-password-value|simple-password|authentication-password|privacy-password|password|secret|shared-secret|pre-shared-key|passphrase|authentication-key|privacy-key|preauthentication-secret|ascii-text|hexadecimal|chap-secret|pap-password|default-chap-secret|wpa-psk|key-string|connectivity-association-key|cak|ckn) (?:ascii-text |hexadecimal )?("[^"]*"|[^\s;{]+)`},
		{ID: "keyed", Pattern: `\b(?:md5 \d+ key|authentication-key \d+ type \S+ value|key \d+ secret) ("[^"]*"|[^\s;{]+)`},
		{ID: "snmp-community", Pattern: `\bcommunity ("[^"]*"|[^\s;{]+) (?:\{|authorization\b|clients?\b|view\b|client-list-name\b|routing-instance\b|;)`},
		{ID: "snmp-community-end", Pattern: `\bsnmp community ("[^"]*"|[^\s;{]+)`},
		{ID: "trap-group", Pattern: `\btrap-group ("[^"]*"|[^\s;{]+)`},
		{ID: "snmp-v3", Pattern: `\b(?:community-name|authentication-key|privacy-key) ("[^"]*"|[^\s;{]+)`},
		{ID: "url-password", Pattern: `\b[a-z]+://[^/\s:@"]+:([^@\s"]+)@`},
		{ID: "license-key", Artefact: "license-keys", Pattern: `(\b[a-z0-9]{6}(?: [a-z0-9]{6}){2,}.*)`},
		{ID: "license-id", Artefact: "license-keys", Pattern: `\bJUNOS\w+ ([a-z0-9]{6}.*)`},
	}
}
