package ios

import "github.com/cfgvault/cfgvault/plugins"

// The artefacts that the driver knows by name.
const (
	runningConfig = "running-config"
	startupConfig = "startup-config"
	vlanFile      = "vlan.dat"
)

// Info declares the platform. Sources: Cisco IOS Configuration Fundamentals
// and the command references of IOS 15 and IOS-XE 16 and 17; sessions recorded
// on a CSR1000v 16.12 and an ASR 920 16.8.
func (driver) Info() plugins.Info {
	return plugins.Info{
		Name:     "ios",
		Version:  "0.1.0",
		Vendor:   "Cisco",
		Platform: "Cisco IOS 12.4 to 15.9 and IOS-XE 3 to 17",
		Tested:   plugins.TestedSimulator,
		Notes: []string{
			"The login needs privilege level 15, at once or by enable; SCP needs it at once.",
			"A restore needs \"ip scp server enable\" and an archive with a path on the device, and room on flash for a second configuration; without them it is refused.",
			"Not in a backup: images, private keys, the master key of type 6 secrets, Smart Licensing trust, files on flash beyond the VLAN file and the scripts that the configuration names.",
			"The VLANs of a VTP server or client are in vlan.dat alone: it is read by SCP, and a restore names it as a loss unless the device has the same, because it counts only after a reload.",
			"SNMPv3 users are not shown by the device: their passwords must be set again on another unit.",
			"Unconfirmed on hardware: what configure confirm prints, the layout of show archive config rollback timer beside its labels, the sentence after revert trigger error, and that incoming SCP needs privilege 15 at login.",
			"The rollback timer counts whole minutes and is lost at a reload, which itself brings back the startup configuration.",
		},
		Capabilities: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset},
		Options: []plugins.Option{
			{Name: "flash", Text: "file system for what a restore brings: flash: (default), bootflash:, disk0:", Pattern: `[a-z]+\d*:`},
			{Name: plugins.OptImageHash, Text: "\"md5\": at each backup let the device compute the digest of the image that it booted, or of the list of its packages (verify /md5), which takes it up to some minutes", Pattern: `md5`},
		},
		Transports: []plugins.Transport{plugins.TransportShell, plugins.TransportTelnet, plugins.TransportConsole},
		Shell: plugins.Shell{
			Prompt:       `(?m)^[\w.\-/]{1,63}[>#]$`,
			Privileged:   `#$`,
			Enable:       "enable",
			EnablePrompt: `(?i)^password: ?$`,
			Setup:        []string{"terminal length 0", "terminal width 0"},
			Pager:        "--More--",
			ContinueKey:  " ",
			Sentinel:     "!%s",
			Exit:         "exit",
			CommandEcho:  true,
			ModePrompt:   `(?m)^[\w.\-/]{1,63}\((?:config|ca-)[^)\s]*\)#$`,
			ErrorLine:    `(?m)^(?:% |%[A-Z][a-z]|Command authorization failed)`,
		},
		MaxSessions: 3, // five lines by default, of which people need one
		Artefacts: []plugins.ArtefactSpec{
			{Name: runningConfig, Command: "show running-config", Role: plugins.RoleRunning, Required: true, Terminator: `^end$`},
			{Name: startupConfig, Command: "show startup-config", Role: plugins.RoleStartup, Terminator: `^end$`},
			{Name: vlanFile, Role: plugins.RoleFile, Bind: plugins.BindModel},
			{Name: "inventory", Command: "show inventory", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: "license-udi", Command: "show license udi", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: "boot", Command: "show boot", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: "sdm", Command: "show sdm prefer", Role: plugins.RoleState, Bind: plugins.BindModel},
			{Name: "vtp", Command: "show vtp status", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: plugins.PortsArtefact, Role: plugins.RoleState},
			{Name: plugins.FirmwareArtefact, Role: plugins.RoleState, Bind: plugins.BindVersion},
		},
		Volatile: []plugins.LineRule{
			{ID: "frame", Pattern: `^Building configuration\.\.\.$`, Why: "part of the listing"},
			{ID: "size", Pattern: `^(?:Current configuration : \d+ bytes|Using \d+ out of \d+ bytes.*)$`, Why: "the length of the listing"},
			{ID: "last-change", Pattern: `^! (?:Last configuration change at |NVRAM config last updated |No configuration change since )`, Why: "when and by whom it was changed or saved"},
			{ID: "separator", Pattern: `^\s*!\s*$`, Why: "stands between blocks; IOS keeps no comments"},
			{ID: "clock-period", Pattern: `^ntp clock-period \d+$`, Why: "what NTP learned of the clock (Basic System Management, ntp clock-period)"},
			{ID: "low-watermark", Pattern: `^memory free low-watermark processor \d+$`, Why: "computed from the memory of the unit"},
			{ID: "vtp-change", Artefact: "vtp", Pattern: `^(?:Configuration last modified|Configuration Revision|Local updater ID|MD5 digest|\s+0x)`, Why: "changes with every VLAN anywhere in the domain"},
		},
		ReloadFirst: []plugins.LineRule{
			{ID: "license-level", Pattern: `^license boot level `, Why: "the feature set counts from the next start on, and statements of another one are refused (Software Activation, license boot level)"},
			{ID: "license-suite", Pattern: `^license boot suite `, Why: "the same for suites of technologies"},
			{ID: "platform-throughput", Pattern: `^platform hardware throughput level `, Why: "counts from the next start on"},
			{ID: "sdm", Pattern: `^sdm prefer `, Why: "the template of the switch's tables counts from the next start on (Consolidated Platform, sdm prefer)"},
			{ID: "system-mtu", Pattern: `^system mtu `, Why: "counts from the next start on, on older switches"},
		},
		Reboot:   []plugins.Reboot{{Text: reload().Text, Answers: reload().Answers}},
		Secrets:  secrets(),
		Rollback: plugins.RollbackDevice,
	}
}

// secrets names what IOS prints to privilege level 15. A type word (0 clear, 5,
// 8 and 9 hashed, 6 and 7 reversible) stays visible.
func secrets() []plugins.SecretRule {
	const kind = `(?:(?:[0-9]|encrypted) )?`
	return []plugins.SecretRule{
		{ID: "password", Pattern: `\b(?:password|secret|passphrase|passcode|pre-shared-key|shared-secret|psk|wpa-psk) ` + kind + `(?:(?:ascii|hex|local|remote|address \S+|hostname \S+) )*` + kind + `(\S+)`},
		{ID: "crypt", Pattern: `(\$(?:1|5|6|8|9|14)\$\S+)`},
		{ID: "snmp-community", Pattern: `\bsnmp-server community (\S+)`},
		{ID: "snmp-host", Pattern: `\bsnmp-server host \S+(?: vrf \S+)?(?: traps| informs)?(?: version (?:1|2c|3 (?:auth|noauth|priv)))? (\S+)`},
		{ID: "snmp-user", Pattern: `\bsnmp-server user .*?\bauth \S+ (\S+)(?: priv (?:\S+ )*?(?:128|192|256 )?(\S+))?`},
		{ID: "key", Pattern: `\bkey (?:[0678] )?([^\s]{1,})\s*$`},
		{ID: "typed-key", Pattern: `\bkey [0678] (\S+)`},
		{ID: "key-string", Pattern: `\bkey-string ` + kind + `(\S.*)`},
		{ID: "isakmp-key", Pattern: `\bcrypto isakmp key ` + kind + `(\S+)`},
		{ID: "routing-key", Pattern: `\b(?:authentication-key|message-digest-key \d+ \S+|area-password|domain-password|isis password) ` + kind + `(\S+)`},
		{ID: "gateway-key", Pattern: `\b(?:standby|vrrp|glbp) (?:\d+ )?authentication (?:text )?([^\s]+)`},
		{ID: "ntp-key", Pattern: `\bntp authentication-key \d+ \S+ (\S+)`},
		{ID: "ppp", Pattern: `\bppp (?:chap|pap) .*password ` + kind + `(\S+)`},
		{ID: "vtp-password", Pattern: `\bvtp password (\S+)`},
		{ID: "server-key", Pattern: `\b(?:server-private|tacacs-server|radius-server)\b.* key ` + kind + `(\S+)`},
		{ID: "url-password", Pattern: `\b[a-z]+://[^/\s:@]+:([^@\s]+)@`},
		{ID: "ftp-password", Pattern: `\bip (?:ftp|http client) password ` + kind + `(\S+)`},
		{ID: "certificate", Pattern: `\bcertificate (?:self-signed|ca)? ?[0-9A-F]+( .*)?$`, Until: `^\s*quit$`},
	}
}
