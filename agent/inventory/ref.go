package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cfgvault/cfgvault/agent/secret"
)

// Ref says where a secret is found: exactly one of Env, File and Command. It
// never holds the secret. The zero Ref says that there is none.
type Ref struct {
	Env     string // name of an environment variable of the agent
	File    string // path; "~/" is the user's home, relative is relative to the folder of devices.yaml
	Command string // program and arguments, see Resolve

	base   string // folder of devices.yaml
	device string // name of the device it is resolved for
}

// The bounds of what a reference may give, and of how long a command may take.
const (
	maxSecret      = 64 << 10
	commandTimeout = 30 * time.Second
	commandDrain   = time.Second // how long a killed command's descendants may hold its output open
)

// IsZero reports whether there is no reference.
func (r Ref) IsZero() bool { return r.Env == "" && r.File == "" && r.Command == "" }

// String names the reference, never the secret: "env PASSWORD". Of a command
// it shows the program only.
func (r Ref) String() string {
	switch {
	case r.Env != "":
		return "env " + r.Env
	case r.File != "":
		return "file " + r.File
	case r.Command != "":
		words, err := splitCommand(r.Command)
		if err != nil {
			return "command"
		}
		return "command " + words[0]
	}
	return "none"
}

func (r *Ref) bind(file, device string) {
	r.base, r.device = filepath.Dir(file), device
}

// same reports whether both refer to the same place.
func (r Ref) same(o Ref) bool {
	return r.Env == o.Env && r.File == o.File && r.Command == o.Command
}

// check says what is wrong with a reference, or nil; the zero Ref is right.
func (r Ref) check() error {
	n := 0
	for _, s := range []string{r.Env, r.File, r.Command} {
		if s != "" {
			n++
		}
		if err := checkText(s); err != nil {
			return err
		}
	}
	if n > 1 {
		return fault("", "a credential has exactly one of env, file and command")
	}
	if r.Env != "" && (strings.ContainsAny(r.Env, "= $") || '0' <= r.Env[0] && r.Env[0] <= '9') {
		return fault("the name alone, without $", "not the name of an environment variable")
	}
	if r.Command != "" {
		if _, err := splitCommand(r.Command); err != nil {
			return err
		}
	}
	return nil
}

// Resolve fetches the secret. One newline at the end is not part of it. It
// fails with ErrCredential if there is no secret, an empty one, or one larger
// than 64 KiB; the error tells the place and never the content.
//
// A file must be a regular one that others cannot read or write, see
// permitted. A command is split into words by quotes alone and run without a
// shell, in the folder of devices.yaml, with the agent's environment and
// CFGVAULT_DEVICE, the name of the device it is asked for; its standard input
// is empty, what it prints on standard error is dropped, as it may hold
// secrets, and after 30 s it is ended with everything it started.
func (r Ref) Resolve(ctx context.Context) (secret.Value, error) {
	if err := r.check(); err != nil {
		return secret.Value{}, err
	}
	if err := ctx.Err(); err != nil {
		return secret.Value{}, err
	}
	var (
		raw []byte
		err error
	)
	switch {
	case r.Env != "":
		v, ok := os.LookupEnv(r.Env)
		if !ok {
			return secret.Value{}, r.fail("it is not set", nil)
		}
		raw = []byte(v)
	case r.File != "":
		raw, err = r.readFile()
	case r.Command != "":
		raw, err = r.run(ctx)
	default:
		return secret.Value{}, r.fail("nothing to look up", nil)
	}
	if err != nil {
		return secret.Value{}, err
	}
	if len(raw) > maxSecret {
		return secret.Value{}, r.fail("it gives more than 64 KiB", nil)
	}
	if trimmed, ok := bytes.CutSuffix(raw, []byte("\n")); ok {
		raw = bytes.TrimSuffix(trimmed, []byte("\r"))
	}
	if len(raw) == 0 {
		return secret.Value{}, r.fail("it is empty", nil)
	}
	return secret.New(string(raw)), nil
}

// fail makes an error that matches ErrCredential, ErrConfig and cause.
func (r Ref) fail(text string, cause error) error {
	if cause != nil {
		return fmt.Errorf("%w: %v: %s: %w", ErrCredential, r, text, credentialError{cause})
	}
	return fmt.Errorf("%w: %v: %w", ErrCredential, r, credentialError{errors.New(text)})
}

// credentialError makes its cause an ErrConfig too.
type credentialError struct{ cause error }

func (e credentialError) Error() string        { return e.cause.Error() }
func (e credentialError) Unwrap() error        { return e.cause }
func (e credentialError) Is(target error) bool { return target == ErrConfig }

// path is the file with "~/" and a relative path explained.
func (r Ref) path() (string, error) {
	if rest, ok := strings.CutPrefix(r.File, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", r.fail("no home folder for ~", err)
		}
		return filepath.Join(home, rest), nil
	}
	if filepath.IsAbs(r.File) {
		return r.File, nil
	}
	return filepath.Join(r.base, r.File), nil
}

func (r Ref) readFile() ([]byte, error) {
	path, err := r.path()
	if err != nil {
		return nil, err
	}
	// O_NONBLOCK: opening a FIFO must not wait for somebody to write to it.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err // the path is in the reference already
		}
		return nil, r.fail("cannot read it", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, r.fail("cannot read it", err)
	}
	if !info.Mode().IsRegular() {
		return nil, r.fail("it is not a regular file", nil)
	}
	if err := r.permitted(info); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, r.fail("cannot read it", err)
	}
	return raw, nil
}

// permitted refuses a file that others may read or write. It refuses and does
// not warn, as ssh does with private keys: a warning of a nightly run is read
// by nobody. One case is let through: root owns the file and its group may
// read it. That is how root hands a secret to a service account, and how
// systemd's LoadCredential= looks, whose access list shows as group bits.
func (r Ref) permitted(info fs.FileInfo) error {
	mode := info.Mode().Perm()
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid == 0 {
		mode &^= 0o040
	}
	if mode&0o077 == 0 {
		return nil
	}
	return r.fail(fmt.Sprintf("its permissions are %04o, others may use it: chmod 600", info.Mode().Perm()), nil)
}

func (r Ref) run(ctx context.Context) ([]byte, error) {
	words, err := splitCommand(r.Command)
	if err != nil {
		return nil, err
	}
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = r.base
	cmd.Env = append(os.Environ(), "CFGVAULT_DEVICE="+r.device)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = commandDrain
	out := &bounded{full: cancel}
	cmd.Stdout = out
	err = cmd.Run()
	switch {
	case out.over:
		return nil, r.fail("it gives more than 64 KiB", nil)
	case parent.Err() != nil:
		return nil, r.fail("interrupted", parent.Err())
	case ctx.Err() != nil:
		return nil, r.fail(fmt.Sprintf("it did not end within %v", commandTimeout), nil)
	case err != nil:
		return nil, r.fail("run it by hand to see why", err)
	}
	return out.buf.Bytes(), nil
}

// bounded collects output and ends the command when there is too much.
type bounded struct {
	buf  bytes.Buffer
	over bool
	full func()
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.buf.Len()+len(p) > maxSecret {
		b.over = true
		b.full()
		return 0, io.ErrShortWrite
	}
	return b.buf.Write(p)
}

// splitCommand splits a command into words: blanks separate, single quotes
// keep everything, double quotes everything but \" and \\. A character that a
// shell would act upon is an error instead of a surprise.
func splitCommand(s string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool
		quote  byte
	)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == '"' && c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			word.WriteByte(s[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote == '"' && (c == '$' || c == '`'):
			return nil, shellError(c)
		case quote != 0:
			word.WriteByte(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case c == ' ' || c == '\t':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case strings.IndexByte("$`|&;<>()*?[]{}\\!#~", c) >= 0 && (c != '#' && c != '~' || !inWord):
			return nil, shellError(c)
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fault("", "the command has an open quote")
	}
	if inWord {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, fault("", "the command is empty")
	}
	return words, nil
}

func shellError(c byte) error {
	return fault("no shell reads it: put the character in single quotes, or write sh -c '…'",
		"the command holds %q outside single quotes", c)
}
