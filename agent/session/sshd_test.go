package session

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/cfgvault/cfgvault/agent/secret"
	"github.com/cfgvault/cfgvault/plugins"
)

// sshd starts OpenSSH's server for the current user and returns how to log in.
func sshd(t *testing.T, extra string) Target {
	t.Helper()
	bin, err := exec.LookPath("sshd")
	if err != nil {
		bin = "/usr/sbin/sshd"
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Uid == "0" {
		// sshd's separated process lives there.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	key := func() (ssh.PublicKey, []byte) {
		pub, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		block, err := ssh.MarshalPrivateKey(priv, "")
		if err != nil {
			t.Fatal(err)
		}
		k, err := ssh.NewPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		return k, pem.EncodeToMemory(block)
	}
	hostKey, hostPEM := key()
	userKey, userPEM := key()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	_ = ln.Close()
	conf := write("sshd_config", fmt.Appendf(nil, `
ListenAddress 127.0.0.1:%d
HostKey %s
AuthorizedKeysFile %s
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
PrintMotd no
Subsystem sftp internal-sftp
%s
`, port, write("host", hostPEM), write("authorized_keys", ssh.MarshalAuthorizedKey(userKey)), extra))
	var log bytes.Buffer
	cmd := exec.Command(bin, "-D", "-e", "-f", conf)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd: %s", log.String())
		}
	})
	target := Target{
		Device: "real", Host: "127.0.0.1", Port: port, User: me.Username,
		HostKeys: []string{pin(hostKey)}, Auth: []Auth{Key{PEM: secret.New(string(userPEM))}},
	}
	// It is up once it shows its key.
	for ctx := within(t, 20*time.Second); ; {
		keys, err := HostKeys(ctx, target)
		if err == nil && len(keys) == 1 {
			return target
		}
		if ctx.Err() != nil {
			t.Fatalf("sshd does not start: %v", err)
		}
	}
}

func TestOpenSSH(t *testing.T) {
	t.Parallel()
	target := sshd(t, "MaxSessions 4")
	s := dial(t, target, execInfo)
	out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "cat; echo err >&2; exit 7", Input: bytes.Repeat([]byte("0123456789abcde\n"), 1<<16)})
	if err != nil || len(out.Stdout) != 1<<20 || string(out.Stderr) != "err\n" || out.Exit == nil || *out.Exit != 7 || out.End != plugins.EndStatus {
		t.Errorf("%d bytes, %q, %v, %s, %v", len(out.Stdout), out.Stderr, out.Exit, out.End, err)
	}
	out, err = s.Run(within(t, 20*time.Second), plugins.Command{Text: "kill -9 $$"})
	if err != nil || out.Exit == nil || *out.Exit != 128+9 {
		t.Errorf("killed: %v %s %v", out.Exit, out.End, err)
	}
	// More at once than the server takes.
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			out, err := s.Run(within(t, 50*time.Second), plugins.Command{Text: fmt.Sprintf("echo %d", i)})
			if err != nil || string(out.Stdout) != fmt.Sprintf("%d\n", i) {
				t.Errorf("%d: %q %v", i, out.Stdout, err)
			}
		})
	}
	wg.Wait()
	c, err := s.Open(within(t, 10*time.Second), "subsystem", "sftp")
	if err != nil {
		t.Fatal(err)
	}
	// SSH_FXP_INIT, version 3
	if _, err := c.Write([]byte{0, 0, 0, 5, 1, 0, 0, 0, 3}); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 9)
	if _, err := io.ReadFull(c, head); err != nil || head[4] != 2 {
		t.Errorf("sftp: %v %v", head, err)
	}
	_ = c.Close()
	if _, err := s.Open(within(t, 10*time.Second), "subsystem", "netconf"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("netconf: %v", err)
	}
}

// A real shell on a real terminal: bash with its readline, and dash, where the
// kernel echoes.
func TestOpenSSHShell(t *testing.T) {
	t.Parallel()
	for _, sh := range []string{"bash --norc --noprofile -i", "dash -i"} {
		t.Run(strings.Fields(sh)[0], func(t *testing.T) {
			target := sshd(t, "ForceCommand env PS1='dev$ ' PS2='> ' "+sh)
			info := plugins.Info{Name: "sh", Transports: []plugins.Transport{plugins.TransportShell}, Shell: plugins.Shell{
				Prompt: `^dev\$ $`, Sentinel: "# %s", CommandEcho: true, Exit: "exit",
			}}
			s := dial(t, target, info)
			for _, c := range []struct{ cmd, want string }{
				{"echo hello", "hello\n"},
				{"true", ""},
				{"printf 'dev$ \\ndev$ x\\n   a  \\n'", "dev$ \ndev$ x\n   a  \n"},
				{"seq 1 20000", seq(20000)},
				{"printf 'a\\nno newline'", "a\nno newline"},
				{"echo " + strings.Repeat("long ", 150), strings.Repeat("long ", 149) + "long\n"},
			} {
				out, err := s.Run(within(t, 30*time.Second), plugins.Command{Text: c.cmd})
				if err != nil || out.End != plugins.EndSentinel || string(out.Stdout) != c.want {
					t.Errorf("%.40s: %.300q %s %v", c.cmd, out.Stdout, out.End, err)
				}
			}
			// What a command reads is not taken for an answer to come.
			out, err := s.Run(within(t, 20*time.Second), plugins.Command{Text: "printf 'Sure? '; read a; echo got $a", Answers: []plugins.Answer{{Prompt: `Sure\? $`, Reply: "yes"}}})
			if err != nil || string(out.Stdout) != "Sure? yes\ngot yes\n" || out.End != plugins.EndSentinel {
				t.Errorf("answer: %q %s %v", out.Stdout, out.End, err)
			}
			out, err = s.Run(within(t, 20*time.Second), plugins.Command{Text: "cat >/dev/null; echo done", Input: []byte("a\nb\n")})
			if err != nil || !strings.HasSuffix(string(out.Stdout), "done\n") || out.End != plugins.EndSentinel {
				t.Errorf("input: %q %s %v", out.Stdout, out.End, err)
			}
			// The output stops in the middle, at what looks like the prompt.
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			out, err = s.Run(ctx, plugins.Command{Text: "printf 'dev$ '; sleep 0.3; printf 'rest\\n'", Write: true})
			if err != nil || out.End == plugins.EndSentinel && string(out.Stdout) != "dev$ rest\n" {
				t.Errorf("pause at a prompt: %q %s %v", out.Stdout, out.End, err)
			}
			cli, err := s.CLI(within(t, 20*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			defer cli.Close()
			if _, err := cli.Run(within(t, 20*time.Second), plugins.Command{Text: "x=kept"}); err != nil {
				t.Fatal(err)
			}
			if out, err := cli.Run(within(t, 20*time.Second), plugins.Command{Text: "echo $x"}); err != nil || string(out.Stdout) != "kept\n" {
				t.Errorf("CLI: %q %v", out.Stdout, err)
			}
		})
	}
}

func seq(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}
