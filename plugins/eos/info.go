package eos

import "github.com/cfgvault/cfgvault/plugins"

// Info declares the platform. Sources: Arista EOS User Manual; sessions
// recorded on vEOS 4.22.1F and cEOS 4.35.0F.
func (driver) Info() plugins.Info {
	return plugins.Info{
		Name:     "eos",
		Version:  "0.1.0",
		Vendor:   "Arista",
		Platform: "Arista EOS 4.22 and later",
		Tested:   plugins.TestedSimulator,
		Notes: []string{
			"The login needs privilege level 15, at once or by enable, and for a restore the right to configure sessions.",
			"The prompt must be the default one: host name, then > or #. A restore is refused while merge on commit or autosave on commit is enabled.",
			"Not in a backup: images and extensions on flash, certificates and keys under /persist, licences, event-handler scripts.",
			"A change of \"service routing protocols model\" is taken and saved by a restore, and counts from the next reload on.",
			"A restore replaces the whole running configuration; a unit in Zero Touch Provisioning mode stays in it until it reloads with the startup configuration that the restore saves.",
			"Unconfirmed on hardware: what a session looks like after its timer ran out, the wording of the refusals while another commit timer runs, the text of the pager, and what show startup-config says when there is none.",
			"After a reload, or once another session was completed, the switch no longer knows a change that was confirmed.",
		},
		Capabilities: capabilities(),
		Options: []plugins.Option{
			{Name: plugins.OptImageHash, Text: "\"sha512\": at each backup let the switch compute the digest of the image that it boots (verify /sha512), which takes it up to a minute", Pattern: `sha512`},
		},
		Transports: []plugins.Transport{plugins.TransportShell, plugins.TransportTelnet, plugins.TransportConsole},
		Shell: plugins.Shell{
			Prompt:       `(?m)^[\w.-]{1,64}[>#]$`,
			Privileged:   `#$`,
			Enable:       "enable",
			EnablePrompt: `(?i)^password: ?$`,
			Setup:        []string{"terminal length 0", "terminal width 32767"},
			Pager:        "--More--",
			ContinueKey:  " ",
			Sentinel:     "!%s",
			Exit:         "exit",
			CommandEcho:  true,
			ModePrompt:   `(?m)^[\w.-]{1,64}\(config[^)\s]*\)#$`,
			ErrorLine:    `(?m)^% `,
		},
		MaxSessions: 4, // a switch takes 20 from one host by default
		Artefacts: []plugins.ArtefactSpec{
			{Name: runningConfig, Command: "show running-config", Role: plugins.RoleRunning, Required: true, Terminator: `^end$`},
			{Name: startupConfig, Command: "show startup-config", Role: plugins.RoleStartup, Terminator: `^end$`},
			{Name: "boot-config", Command: "show boot-config", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: "inventory", Command: "show inventory", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: plugins.PortsArtefact, Role: plugins.RoleState},
			{Name: plugins.FirmwareArtefact, Role: plugins.RoleState, Bind: plugins.BindVersion},
		},
		Volatile: []plugins.LineRule{
			{ID: "time", Pattern: `^! Time: `, Why: "when the command ran"},
			{ID: "last-modified", Pattern: `^! Startup-config last modified at `, Why: "when and by whom it was saved"},
			{ID: "device", Pattern: `^! device: `, Why: "model and release of the unit that answers; neither is configuration"},
			{ID: "boot-system", Pattern: `^! boot system `, Why: "a comment; the image is set in flash:boot-config"},
		},
		Reboot:   []plugins.Reboot{{Text: reload().Text, Answers: reload().Answers}},
		Secrets:  secrets(),
		Rollback: plugins.RollbackDevice,
	}
}

// secrets names what EOS prints to privilege level 15. A type word (0 clear,
// 5 and sha512 hashed, 7 and 8a reversible) stays visible.
func secrets() []plugins.SecretRule {
	const kind = `(?:(?:0|5|7|8a|sha512) )?`
	return []plugins.SecretRule{
		{ID: "user", Pattern: `\b(?:username \S+|enable|aaa root)\b(?:.*)\b(?:secret|password) ` + kind + `(\S+)`},
		{ID: "crypt", Pattern: `(\$(?:1|5|6|sha512)\$\S+)`},
		{ID: "snmp-community", Pattern: `\bsnmp-server community (\S+)`},
		{ID: "snmp-host", Pattern: `\bsnmp-server host \S+(?: vrf \S+)?(?: traps| informs)?(?: version (?:1|2c))? (\S+)`},
		{ID: "snmp-user", Pattern: `\bsnmp-server user .*\bauth \S+ (\S+)(?: priv \S+(?: \d+)? (\S+))?`},
		{ID: "snmp-user-remote", Pattern: `\bsnmp-server user .*\bpriv \S+ (\S+)`},
		{ID: "neighbor-password", Pattern: `\b(?:neighbor|peer) .*\bpassword ` + kind + `(\S+)`},
		{ID: "ntp-key", Pattern: `\bntp authentication-key \d+ \S+ ` + kind + `(\S+)`},
		{ID: "routing-key", Pattern: `\b(?:(?:ospf|virtual-link \S+) authentication-key|message-digest-key \d+ \S+|key-string|key string|authentication text) ` + kind + `(\S+)`},
		{ID: "server-key", Pattern: `\b(?:tacacs-server|radius-server|server|host)\b.* key ` + kind + `(\S+)`},
		{ID: "typed-key", Pattern: `\bkey (?:\S+ )?(?:0|7|8a) (\S+)`},
		{ID: "typed-secret", Pattern: `\b(?:secret|password|passphrase|shared-secret|shared-key|pre-shared-key|psk) (?:0|5|7|8a|sha512) (\S+)`},
		{ID: "bare-secret", Pattern: `\b(?:passphrase|shared-secret|shared-key|pre-shared-key|psk) ([^ 0578]\S*|[0578]\S+)`},
		{ID: "token", Pattern: `auth=(?:key|token|token-secure),(\S+)`},
		{ID: "url-password", Pattern: `\b[a-z]+://[^/\s:@]+:([^@\s]+)@`},
		{ID: "aboot-password", Artefact: "boot-config", Pattern: `Aboot password[^:]*: (\S.*)`},
	}
}
