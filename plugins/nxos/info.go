package nxos

import "github.com/cfgvault/cfgvault/plugins"

// The artefacts that the driver knows by name.
const (
	runningConfig = "running-config"
	startupConfig = "startup-config"
)

// Info declares the platform. Sources: Cisco Nexus 9000 Fundamentals and System
// Management guides 9.3 and 10.x; sessions recorded on N9Kv 9.2 and 9.3, a Nexus
// 5548 and a 93180YC-FX3.
func (driver) Info() plugins.Info {
	return plugins.Info{
		Name:     "nxos",
		Version:  "0.1.0",
		Vendor:   "Cisco",
		Platform: "Cisco NX-OS 7 to 10 on Nexus; restore from 9.3(1) on",
		Tested:   plugins.TestedSimulator,
		Notes: []string{
			"The login needs the role network-admin.",
			"A restore needs 9.3(1) or later, which has configure replace with a commit timeout, and \"feature scp-server\"; without them it is refused.",
			"NX-OS marks no end of a configuration: an export is complete when the switch's own count of lines and its last lines agree with what came.",
			"Not in a backup: images, licence files, private keys and certificates, what other VDCs run.",
			"What the switch validates before a replacement is each command out of its context: whether it takes them all shows only when it replaces, which is all or nothing.",
			"SNMPv3 users are localized to the engine id and do not work on another unit; hardware profiles and routing templates need a reload.",
			"Unconfirmed on hardware: what the switch says when a commit timeout is armed, runs out, is committed or aborted; the driver judges by the running configuration and the switch's clock instead.",
		},
		Capabilities: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset},
		Transports:   []plugins.Transport{plugins.TransportShell, plugins.TransportTelnet, plugins.TransportConsole},
		Shell: plugins.Shell{
			Prompt:      `(?m)^[\w.\-]{1,64}# ?$`,
			Privileged:  `# ?$`,
			Setup:       []string{"terminal length 0", "terminal width 511"},
			Pager:       "--More--",
			ContinueKey: " ",
			Sentinel:    "!%s",
			Exit:        "exit",
			CommandEcho: true,
			ModePrompt:  `(?m)^[\w.\-]{1,64}\(config[^)\s]*\)# ?$`,
			ErrorLine:   `(?m)^(?:% |ERROR:)`,
		},
		MaxSessions: 4,
		Artefacts: []plugins.ArtefactSpec{
			{Name: runningConfig, Command: "show running-config", Role: plugins.RoleRunning, Required: true},
			{Name: startupConfig, Command: "show startup-config", Role: plugins.RoleStartup},
			{Name: "inventory", Command: "show inventory", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: "license-host-id", Command: "show license host-id", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: "boot", Command: "show boot", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: plugins.PortsArtefact, Role: plugins.RoleState},
			{Name: plugins.FirmwareArtefact, Role: plugins.RoleState, Bind: plugins.BindVersion},
		},
		Volatile: []plugins.LineRule{
			{ID: "command", Pattern: `^!Command: `, Why: "the command that printed it"},
			{ID: "time", Pattern: `^!(?:Time: |Running configuration last done at: |No configuration change since |Startup config saved at: )`, Why: "when it was printed, changed or saved"},
			{ID: "release", Pattern: `^version `, Why: "the release that answers, not configuration"},
		},
		ReloadFirst: []plugins.LineRule{
			{ID: "tcam", Pattern: `^hardware access-list tcam region `, Why: "the sizes of the regions count from the next start on (Security Configuration Guide, ACL TCAM regions)"},
			{ID: "routing-template", Pattern: `^system routing template-`, Why: "counts from the next start on (Unicast Routing Configuration Guide)"},
			{ID: "hardware-profile", Pattern: `^hardware profile `, Why: "counts from the next start on"},
		},
		Reboot:   []plugins.Reboot{{Text: reload().Text, Answers: reload().Answers}},
		Secrets:  secrets(),
		Rollback: plugins.RollbackDevice,
	}
}

// secrets names what NX-OS prints to network-admin.
func secrets() []plugins.SecretRule {
	const kind = `(?:[0-9] )?`
	return []plugins.SecretRule{
		{ID: "password", Pattern: `\b(?:password|secret|passphrase|shared-secret|pre-shared-key) ` + kind + `([^\s]+)`},
		{ID: "crypt", Pattern: `(\$(?:1|5|6|8|9|nx-pbkdf2)\$\S+)`},
		{ID: "snmp-community", Pattern: `\bsnmp-server community (\S+)`},
		{ID: "snmp-host", Pattern: `\bsnmp-server host \S+(?: traps| informs)?(?: version (?:1|2c|3 (?:auth|noauth|priv)))? (\S+)`},
		{ID: "snmp-user", Pattern: `\bsnmp-server user .*?\bauth \S+ (\S+)(?: priv (?:aes-128 )?(\S+))?`},
		{ID: "server-key", Pattern: `\b(?:tacacs-server|radius-server|ldap-server)\b.*\bkey ` + kind + `(\S+)`},
		{ID: "key-string", Pattern: `\bkey-string ` + kind + `(\S.*)`},
		{ID: "key-octet", Pattern: `\bkey-octet-string ` + kind + `(\S+)`},
		{ID: "routing-key", Pattern: `\b(?:authentication-key|message-digest-key \d+ \S+|authentication text|authentication md5 key-string) ` + kind + `(\S+)`},
		{ID: "ntp-key", Pattern: `\bntp authentication-key \d+ \S+ (\S+)`},
		{ID: "vtp-password", Pattern: `\bvtp password (\S+)`},
		{ID: "url-password", Pattern: `\b[a-z]+://[^/\s:@]+:([^@\s]+)@`},
	}
}
