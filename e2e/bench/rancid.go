package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cfgvault/cfgvault/e2e/lab"
)

const (
	rancidBin   = "/usr/lib/rancid/bin"
	rancidGroup = "bench"
)

// rancid is a RANCID installation in a folder of its own, which nothing of the
// system's own installation (its configuration, its user's home) knows of.
type rancid struct {
	dir     string
	cred    *syscall.Credential
	routers []*lab.Router
}

// newRancid sets RANCID up for the routers, as its user and with git, and runs
// it once, so that what is measured later is the run of an ordinary night.
func newRancid(routers []*lab.Router) (*rancid, error) {
	u, err := user.Lookup("rancid")
	if err != nil {
		return nil, fmt.Errorf("rancid is not installed: %w", err)
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "cfgvault-rancid-")
	if err != nil {
		return nil, err
	}
	r := &rancid{dir: dir, cred: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, routers: routers}
	if err := errors.Join(os.Chown(dir, int(uid), int(gid)), r.configure(), r.exec("rancid-cvs"), r.list(), r.run()); err != nil {
		r.remove()
		return nil, err
	}
	return r, nil
}

// configure writes everything that RANCID reads. Its login script takes the
// ssh client's options from sshcmd: ssh itself would look for its
// configuration in the home of the user database, whatever HOME says. RANCID
// knows FRR only as a login that ends in vtysh, so it gets that one.
func (r *rancid) configure() error {
	login := r.routers[0].VtyshShell()
	var known strings.Builder
	for _, router := range r.routers {
		known.WriteString(strings.TrimSpace(router.KnownHost()) + "\n")
	}
	files := map[string]string{
		"rancid.conf": `TERM=network; export TERM
LC_COLLATE=POSIX; export LC_COLLATE
umask 027
PERL5LIB=/usr/share/perl5/rancid; export PERL5LIB
TMPDIR=` + r.dir + `/tmp; export TMPDIR
BASEDIR=` + r.dir + `/base; export BASEDIR
PATH=` + rancidBin + `:/usr/bin:/usr/sbin:/bin; export PATH
CVSROOT=$BASEDIR/git; export CVSROOT
LOGDIR=$BASEDIR/logs; export LOGDIR
RCSSYS=git; export RCSSYS
SENDMAIL=/bin/true; export SENDMAIL
PAR_COUNT=` + strconv.Itoa(len(r.routers)) + `; export PAR_COUNT
LIST_OF_GROUPS=` + rancidGroup + `; export LIST_OF_GROUPS
`,
		"cloginrc": "add method * ssh\nadd user * " + login.User + "\nadd password * " + login.Password +
			"\nadd autoenable * 1\nadd sshcmd * {{ssh -F " + r.dir + "/ssh_config}}\n",
		"ssh_config":  "Host *\n  StrictHostKeyChecking yes\n  UserKnownHostsFile " + r.dir + "/known_hosts\n",
		"known_hosts": known.String(),
		".gitconfig":  "[user]\n  name = bench\n  email = bench@localhost\n[init]\n  defaultBranch = main\n",
	}
	for name, text := range files {
		if err := r.write(name, text); err != nil {
			return err
		}
	}
	for _, name := range []string{"tmp", "base", "base/logs"} {
		path := filepath.Join(r.dir, name)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chown(path, int(r.cred.Uid), int(r.cred.Gid))); err != nil {
			return err
		}
	}
	return nil
}

// list names the routers, in the folder that rancid-cvs has made.
func (r *rancid) list() error {
	var db strings.Builder
	for _, router := range r.routers {
		fmt.Fprintf(&db, "%s;frr;up\n", router.Addr)
	}
	return r.write(filepath.Join("base", rancidGroup, "router.db"), db.String())
}

func (r *rancid) write(name, text string) error {
	path := filepath.Join(r.dir, name)
	return errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chown(path, int(r.cred.Uid), int(r.cred.Gid)))
}

func (r *rancid) exec(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(rancidBin, program), append([]string{"-f", filepath.Join(r.dir, "rancid.conf")}, args...)...)
	cmd.Dir = r.dir
	cmd.Env = []string{"HOME=" + r.dir, "CLOGINRC=" + filepath.Join(r.dir, "cloginrc"), "PATH=" + rancidBin + ":/usr/bin:/usr/sbin:/bin", "LOGNAME=rancid", "USER=rancid"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: r.cred}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

// run is one night of RANCID. It fails unless RANCID read every router anew
// and whole: nothing can be compared with a run that did less.
func (r *rancid) run() error {
	begun := time.Now().Truncate(time.Second)
	if err := r.exec("rancid-run", rancidGroup); err != nil {
		return err
	}
	for _, router := range r.routers {
		path := filepath.Join(r.dir, "base", rancidGroup, "configs", router.Addr.String())
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("RANCID has not backed up %s: %w\n%s", router.Name, err, r.log())
		}
		fi, err := os.Stat(path)
		if err != nil {
			return err
		}
		if fi.ModTime().Before(begun) {
			return fmt.Errorf("RANCID has not read %s in this run\n%s", router.Name, r.log())
		}
		if err := wholeFRR(text, router.Name); err != nil {
			return fmt.Errorf("RANCID on %s: %w\n%s", router.Name, err, r.log())
		}
	}
	return nil
}

// wholeFRR reports what is missing in a copy of the lab's sample configuration.
func wholeFRR(text []byte, name string) error {
	for _, line := range []string{"hostname " + name, "router bgp 65001", "router ospf", "route-map RM1 permit 10", "end"} {
		if !bytes.Contains(append([]byte("\n"), text...), []byte("\n"+line+"\n")) {
			return fmt.Errorf("line %q is missing", line)
		}
	}
	return nil
}

// log is the end of RANCID's own log, to explain a failure.
func (r *rancid) log() []byte {
	var last []byte
	names, _ := filepath.Glob(filepath.Join(r.dir, "base", "logs", "*"))
	for _, name := range names {
		if text, err := os.ReadFile(name); err == nil {
			last = text
		}
	}
	return last[max(0, len(last)-2000):]
}

func (r *rancid) remove() { _ = os.RemoveAll(r.dir) }
