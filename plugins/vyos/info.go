package vyos

import "github.com/cfgvault/cfgvault/plugins"

// The artefacts that the driver knows by name.
const (
	runningConfig = "configuration"
	savedConfig   = "config.boot"
	bootFile      = "/config/config.boot"
)

// What is read. The pager is left out by the pipe.
const (
	showVersion = "show version | cat"
	showRunning = "show configuration | cat"
	showTail    = "show configuration | tail -n 12"
	showSaved   = "cat " + bootFile
	showEnd     = "tail -n 12 " + bootFile
)

// Info declares the platform. Sources: VyOS documentation and source of 1.3,
// 1.4 and 1.5; a dialogue recorded on 1.4.3.
func (driver) Info() plugins.Info {
	return plugins.Info{
		Name:     "vyos",
		Version:  "0.1.0",
		Vendor:   "VyOS",
		Platform: "VyOS 1.3, 1.4 and 1.5",
		Tested:   plugins.TestedSimulator,
		Notes:    notes(),
		Capabilities: []plugins.Capability{
			plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset, plugins.CapMigrate,
		},
		Transports: []plugins.Transport{plugins.TransportShell, plugins.TransportTelnet, plugins.TransportConsole},
		Shell: plugins.Shell{
			Prompt:      `(?m)^[\w.-]{1,64}@[\w.-]{1,64}(?::[~/][^\s$]*\$|>) ?$`,
			Setup:       []string{"set terminal length 0", "set terminal width 32767"},
			Pager:       `^:$|\(END\)`,
			ContinueKey: " ",
			Sentinel:    "#%s",
			Exit:        "exit",
			CommandEcho: true,
			ModePrompt:  `(?m)^[\w.-]{1,64}@[\w.-]{1,64}# ?$`,
			ErrorLine:   `(?m)^\s*(?:Invalid command|Configuration path|Set failed|Commit failed|Cannot )`,
		},
		MaxSessions: 4,
		Artefacts: []plugins.ArtefactSpec{
			{Name: runningConfig, Command: showRunning, Role: plugins.RoleRunning, Required: true, Terminator: `^\}$`},
			{Name: savedConfig, Command: showSaved, Role: plugins.RoleStartup, Required: true, Terminator: `Release version: `},
			{Name: "version", Command: showVersion, Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: plugins.FirmwareArtefact, Role: plugins.RoleState, Bind: plugins.BindVersion},
			{Name: "images", Command: "show system image | cat", Role: plugins.RoleState},
			{Name: plugins.PortsArtefact, Role: plugins.RoleState},
		},
		Volatile: []plugins.LineRule{
			{ID: "release", Pattern: `^(?://|/\*) Release version: `, Why: "the release that wrote the file, not a setting"},
		},
		Secrets:  secrets(),
		Rollback: plugins.RollbackReboot,
	}
}

func notes() []string {
	return []string{
		"The login needs the shell of VyOS and the right to configure (administrators have it).",
		"A restore uses commit-confirm, of 1.4 and later: while it is not confirmed the unit returns to the saved configuration, by a reboot, or without one where system config-management commit-confirm action reload is set (1.5). It is refused while the running configuration is not saved, and on 1.3: there the timer is a job of at, and the unit does not tell whose change waits for it.",
		"Between stage and confirmation a copy of the new configuration lies in /config, readable by its owner only.",
		"The footer that names the versions of the parts of the configuration is kept: what is restored carries the footer of the saved file of the snapshot, so that the unit migrates it.",
		"Files below /config/auth, /config/scripts, /config/user-data and /config/ipsec.d are kept and not put back. Not in a backup: SSH host keys, images, containers.",
		"Unconfirmed: what commit-confirm of 1.5 leaves behind after it reloaded the old configuration, and that a comment line is harmless at every prompt.",
		"A factory reset puts the shipped configuration in the place of the saved one and reboots; other files below /config stay.",
	}
}

// secrets are what an administrator sees in clear.
func secrets() []plugins.SecretRule {
	const word = `('[^']*'|"[^"]*"|[^\s{]+)`
	return []plugins.SecretRule{
		{ID: "password", Pattern: `\b(?:encrypted-password|plaintext-password|password|passphrase|secret|pre-shared-secret|pre-shared-key|preshared-key|shared-secret|shared-key|md5-key|private-key|wpa-passphrase|auth-key|auth-password|encrypted-key|plaintext-key|psk|token) ` + word},
		{ID: "crypt", Pattern: `(\$(?:1|5|6|y|2[aby])\$[^\s'"]+)`},
		{ID: "key-of-private", Pattern: `\bprivate key ` + word},
		{ID: "long-key", Pattern: `\bkey ("[A-Za-z0-9+/=]{40,}"|'[A-Za-z0-9+/=]{40,}'|[A-Za-z0-9+/=]{40,})`},
		{ID: "api-key", Pattern: `\bkeys id \S+ key ` + word},
		{ID: "snmp-community", Pattern: `\bcommunity ` + word},
		{ID: "url-password", Pattern: `\b[a-z]+://[^/\s:@'"]+:([^@\s'"]+)@`},
	}
}
