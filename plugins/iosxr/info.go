package iosxr

import "github.com/cfgvault/cfgvault/plugins"

// The artefacts that the driver knows by name.
const (
	runningConfig = "running-config"
	adminConfig   = "admin-config"
)

// Info declares the platform. Sources: Cisco IOS-XR configuration guides and
// command references 6 to 24; sessions recorded on XRv9k 6.5.3 and 24.3.1.
func (*driver) Info() plugins.Info {
	return plugins.Info{
		Name:     "iosxr",
		Version:  "0.1.0",
		Vendor:   "Cisco",
		Platform: "Cisco IOS-XR 6 to 24",
		Tested:   plugins.TestedSimulator,
		Notes: []string{
			"The login needs the task groups root-lr or the like: the whole configuration, and commit replace.",
			"A change is confirmed on the very login that committed it, which is kept open for that long; when it is lost, the router goes back by itself and says nothing of it.",
			"The file of a restore lies on disk0: and comes by SCP. A commit is what persists: there is no startup configuration.",
			"Not in a backup: packages, licences, keys and certificates; the configuration of the admin plane is kept as evidence and not put back.",
			"Unconfirmed on hardware: what load prints (what it did not take is asked for), and that the session of a trial may replace it by the configuration before, which is how a change is undone at once; where that is refused, the timer undoes it.",
			"Only the running process remembers that a change was confirmed.",
		},
		Capabilities: []plugins.Capability{plugins.CapRestore, plugins.CapAdapt, plugins.CapRender, plugins.CapFactoryReset},
		Transports:   []plugins.Transport{plugins.TransportShell},
		Shell: plugins.Shell{
			Prompt:      `(?m)^RP/\d+/\w+/\w+:[\w.\-]{1,64}#$`,
			Privileged:  `#$`,
			Setup:       []string{"terminal length 0", "terminal width 512", "terminal exec prompt no-timestamp"},
			Pager:       "--More--",
			ContinueKey: " ",
			Sentinel:    "!%s",
			Exit:        "exit",
			CommandEcho: true,
			ModePrompt:  `(?m)^RP/\d+/\w+/\w+:[\w.\-]{1,64}\(config[^)\s]*\)#$`,
			ErrorLine:   `(?m)^% `,
		},
		MaxSessions: 4,
		Artefacts: []plugins.ArtefactSpec{
			{Name: runningConfig, Command: "show running-config", Role: plugins.RoleRunning, Required: true, Terminator: `^end$`},
			{Name: adminConfig, Command: "admin show running-config", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: "inventory", Command: "show inventory", Role: plugins.RoleState, Bind: plugins.BindUnit},
			{Name: "packages", Command: "show install active summary", Role: plugins.RoleState, Bind: plugins.BindVersion},
			{Name: plugins.PortsArtefact, Role: plugins.RoleState},
		},
		Volatile: []plugins.LineRule{
			{ID: "time", Pattern: `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d+ \d{2}:\d{2}:\d{2}\.\d+ `, Why: "when the command ran"},
			{ID: "last-change", Pattern: `^!! Last configuration change at `, Why: "when and by whom it was changed"},
			{ID: "release", Pattern: `^!! (?:IOS XR Configuration|Building configuration)`, Why: "the release that answers, not configuration"},
		},
		Secrets:  secrets(),
		Rollback: plugins.RollbackSession,
	}
}

// secrets names what IOS-XR prints to root-lr.
func secrets() []plugins.SecretRule {
	const kind = `(?:(?:[0-9]+|encrypted|clear) )?`
	return []plugins.SecretRule{
		{ID: "password", Pattern: `\b(?:password|secret|passphrase|pre-shared-key) ` + kind + `([^\s]+)`},
		{ID: "crypt", Pattern: `(\$(?:1|5|6|8|9)\$\S+)`},
		{ID: "snmp-community", Pattern: `\bsnmp-server community (?:clear |encrypted )?(\S+)`},
		{ID: "snmp-host", Pattern: `\bsnmp-server host \S+(?: traps| informs)?(?: clear| encrypted)?(?: version (?:1|2c|3 (?:auth|noauth|priv)))? (\S+)`},
		{ID: "snmp-user", Pattern: `\bsnmp-server user .*?\bauth \S+ (?:clear |encrypted )?(\S+)(?: priv (?:\S+ )*?(?:clear |encrypted )(\S+))?`},
		{ID: "key", Pattern: `\bkey ` + kind + `([^\s]{2,})\s*$`},
		{ID: "typed-key", Pattern: `\bkey (?:[067]|encrypted|clear) (\S+)`},
		{ID: "key-string", Pattern: `\bkey-string (?:password |clear )?(\S.*)`},
		{ID: "routing-key", Pattern: `\b(?:authentication-key|message-digest-key \d+ \S+|hello-password|lsp-password|md5) (?:encrypted |clear )?(\S+)`},
		{ID: "url-password", Pattern: `\b[a-z]+://[^/\s:@]+:([^@\s]+)@`},
	}
}
