package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/cfgvault/cfgvault/vault"
)

// Home says where one installation keeps its files. Configuration is what an
// operator edits or copies, state is what the agent writes; with one --home
// both are the same folder.
type Home struct {
	ConfigDir string
	StateDir  string
	File      string // config.yaml, or what --config names
}

// FindHome applies --home, --config and the environment: CFGVAULT_HOME, else
// the XDG base directories.
func FindHome(home, config string, env func(string) string) (Home, error) {
	if home == "" {
		home = env("CFGVAULT_HOME")
	}
	h := Home{ConfigDir: home, StateDir: home, File: config}
	if home == "" {
		user := env("HOME")
		base := func(variable, fallback string) (string, error) {
			if dir := env(variable); filepath.IsAbs(dir) {
				return filepath.Join(dir, "cfgvault"), nil
			}
			if user == "" {
				return "", fmt.Errorf("%w: neither --home, CFGVAULT_HOME, %s nor HOME is set", ErrConfig, variable)
			}
			return filepath.Join(user, fallback, "cfgvault"), nil
		}
		var err error
		if h.ConfigDir, err = base("XDG_CONFIG_HOME", ".config"); err != nil {
			return Home{}, err
		}
		if h.StateDir, err = base("XDG_STATE_HOME", ".local/state"); err != nil {
			return Home{}, err
		}
	}
	var err error
	if h.ConfigDir, err = filepath.Abs(h.ConfigDir); err != nil {
		return Home{}, err
	}
	if h.StateDir, err = filepath.Abs(h.StateDir); err != nil {
		return Home{}, err
	}
	if h.File == "" {
		h.File = filepath.Join(h.ConfigDir, "config.yaml")
	}
	return h, nil
}

// Inventory is the path of devices.yaml.
func (h Home) Inventory() string { return filepath.Join(h.ConfigDir, "devices.yaml") }

// Identity is the path of the identity that init makes.
func (h Home) Identity() string { return filepath.Join(h.Vault(), "identity.txt") }

// Vault is the folder of keys, pins, agent state and outbox.
func (h Home) Vault() string { return filepath.Join(h.StateDir, "vault") }

// Journal is the folder of open restores.
func (h Home) Journal() string { return filepath.Join(h.StateDir, "journal") }

// Workflows is the folder of open workflows.
func (h Home) Workflows() string { return filepath.Join(h.StateDir, "workflows") }

// Plugins is the folder of third-party plugins.
func (h Home) Plugins() string { return filepath.Join(h.ConfigDir, "plugins") }

// Profiles is the folder of the user's own profiles.
func (h Home) Profiles() string { return filepath.Join(h.ConfigDir, "profiles") }

// PluginsLock is the file that pins both.
func (h Home) PluginsLock() string { return filepath.Join(h.ConfigDir, "plugins.lock") }

// Config is config.yaml.
type Config struct {
	Store       string        `yaml:"store"`                  // DIR or s3://HOST/BUCKET/PREFIX
	Every       time.Duration `yaml:"backup-every,omitempty"` // how often the timer runs backup; the next record is due after it
	Concurrency int           `yaml:"concurrency,omitempty"`
	Timeout     time.Duration `yaml:"device-timeout,omitempty"` // for one whole device
	S3          S3Config      `yaml:"s3,omitempty"`
}

// S3Config says how to reach an S3 store beyond what its address says. Keys
// come from the environment or a credentials file, never from here.
type S3Config struct {
	Region      string `yaml:"region,omitempty"`
	Insecure    bool   `yaml:"insecure,omitempty"`    // plain HTTP
	Credentials string `yaml:"credentials,omitempty"` // path of an AWS credentials file; default: the environment
	Profile     string `yaml:"profile,omitempty"`
}

// The defaults of Config.
const (
	DefaultEvery       = 24 * time.Hour
	DefaultConcurrency = 16
	DefaultTimeout     = 15 * time.Minute
)

// ErrConfig is wrapped by every error in what the operator wrote.
var ErrConfig = errors.New("configuration")

// ErrNoVault is returned when there is no vault here yet.
var ErrNoVault = vault.ErrNoVault

// LoadConfig reads config.yaml. ErrNoVault if it is not there; ErrConfig with
// file and line if it is wrong.
func (h Home) LoadConfig() (Config, error) {
	c := Config{}
	data, err := os.ReadFile(h.File)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("%w: %s does not exist; `cfgvault init` makes one", ErrNoVault, h.File)
	}
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("%w: %s: %s", ErrConfig, h.File, yaml.FormatError(err, false, true))
	}
	if c.Store == "" {
		return c, fmt.Errorf("%w: %s has no `store:`", ErrConfig, h.File)
	}
	if c.Every < 0 || c.Concurrency < 0 || c.Timeout < 0 {
		return c, fmt.Errorf("%w: %s: backup-every, concurrency and device-timeout cannot be negative", ErrConfig, h.File)
	}
	if c.Every == 0 {
		c.Every = DefaultEvery
	}
	if c.Concurrency == 0 {
		c.Concurrency = DefaultConcurrency
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	return c, nil
}

// SaveConfig writes a new config.yaml; fs.ErrExist if there is one.
func (h Home) SaveConfig(c Config) error {
	data, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := os.MkdirAll(filepath.Dir(h.File), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(h.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
