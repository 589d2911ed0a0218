package unix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// shell is sh(1): -c LINE NAME ARG…, -s, or FILE ARG….
func (m *Machine) shell(ctx context.Context, pid int, args []string, dir string, in io.Reader, out, errs io.Writer) int {
	var (
		script io.Reader
		name   = "sh"
		params []string
	)
	args = args[1:]
	switch {
	case len(args) >= 2 && args[0] == "-c":
		script = strings.NewReader(args[1])
		if len(args) > 2 {
			name, params = args[2], args[3:]
		}
	case len(args) == 0 || args[0] == "-s":
		data, err := io.ReadAll(in)
		if err != nil {
			return 2
		}
		script, in = bytes.NewReader(data), strings.NewReader("")
		if len(args) > 1 {
			params = args[1:]
		}
	default:
		name, params = args[0], args[1:]
		m.mu.Lock()
		data, err := m.files.Read(resolveIn(dir, name))
		m.mu.Unlock()
		if err != nil {
			fmt.Fprintf(errs, "sh: can't open '%s': No such file or directory\n", name)
			return 2
		}
		script = bytes.NewReader(bytes.Clone(data))
	}
	prog, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(script, name)
	if err != nil {
		fmt.Fprintf(errs, "%s: syntax error: %v\n", name, err)
		return 2
	}
	// The library's $$ is this program's own process.
	jobs := false
	syntax.Walk(prog, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ParamExp:
			if n.Param != nil && n.Param.Value == "$" {
				n.Param.Value = "__pid"
			}
		case *syntax.Stmt:
			jobs = jobs || n.Background
		}
		return true
	})
	env := expand.ListEnviron("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root", "__pid="+strconv.Itoa(pid))
	handled := func(ctx context.Context, a []string) error {
		h := interp.HandlerCtx(ctx)
		if status := m.run(&Call{Machine: m, Ctx: ctx, Args: a, Dir: h.Dir, In: h.Stdin, Out: h.Stdout, Err: h.Stderr, pid: pid}); status != 0 {
			return interp.ExitStatus(status)
		}
		return ctx.Err()
	}
	r, err := interp.New(
		interp.Env(env), interp.StdIO(in, out, errs), interp.Params(append([]string{"--"}, params...)...), interp.Dir("/"),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return handled }),
		interp.CallHandler(func(ctx context.Context, a []string) ([]string, error) {
			switch a[0] {
			case "trap":
				return []string{":"}, nil
			case "export": // no variable of a script's is looked for by a command
				if !slices.ContainsFunc(a, func(s string) bool { return strings.Contains(s, "=") }) {
					return []string{":"}, nil
				}
			case "umask":
				if len(a) == 2 {
					if n, err := strconv.ParseUint(a[1], 8, 32); err == nil {
						m.mu.Lock()
						m.umask = fs.FileMode(n)
						m.mu.Unlock()
					}
				}
				return []string{":"}, nil
			case "command":
				if len(a) == 3 && a[1] == "-v" {
					return []string{"__which", a[2]}, nil
				}
			case "kill", "type", "hash", "mapfile", "readarray", "shopt", "pushd", "popd", "dirs", "source":
				return append([]string{"__" + a[0]}, a[1:]...), nil
			}
			return a, nil
		}),
		interp.OpenHandler(func(ctx context.Context, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
			return m.open(resolveIn(interp.HandlerCtx(ctx).Dir, name), flag, perm)
		}),
		interp.StatHandler(func(_ context.Context, name string, follow bool) (fs.FileInfo, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if name == "/dev/null" {
				return info{"null", &file{mode: fs.ModeDevice | 0o666}}, nil
			}
			p, x := m.files.lookup(name, follow)
			if x == nil {
				if m.isProcess(p) {
					return info{p, &file{mode: fs.ModeDir | 0o555}}, nil
				}
				return nil, notThere("stat", name)
			}
			c := *x
			return info{p, &c}, nil
		}),
		interp.AccessHandler(func(_ context.Context, name string, mode interp.AccessMode) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			_, x := m.files.lookup(name, true)
			switch {
			case x == nil:
				return fs.ErrNotExist
			case mode == interp.AccessExec && !x.mode.IsDir() && x.mode&0o111 == 0:
				return fs.ErrPermission
			}
			return nil
		}),
		interp.ReadDirHandler2(func(_ context.Context, name string) ([]fs.DirEntry, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			var out []fs.DirEntry
			p, err := m.files.resolve(name, true)
			if err != nil {
				return nil, err
			}
			for _, n := range m.files.List(p) {
				c := *m.files.all[strings.TrimSuffix(p, "/")+"/"+n]
				out = append(out, fs.FileInfoToDirEntry(info{n, &c}))
			}
			return out, nil
		}),
	)
	if err != nil {
		fmt.Fprintf(errs, "sh: %v\n", err)
		return 2
	}
	if m.isDir(dir) { // the option Dir would look for it on this machine
		cd := &syntax.File{Stmts: []*syntax.Stmt{{Cmd: &syntax.CallExpr{Args: []*syntax.Word{word("cd"), word(dir)}}}}}
		if err := r.Run(ctx, cd); err != nil {
			return 2
		}
	}
	err = r.Run(ctx, prog)
	if jobs {
		// A job that setsid starts is on its own by then.
		if wait, bad := syntax.NewParser().Parse(strings.NewReader("wait"), ""); bad == nil {
			_ = r.Run(ctx, wait)
		}
	}
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		return 143
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintf(errs, "sh: %v\n", err)
	return 2
}

func word(s string) *syntax.Word {
	return &syntax.Word{Parts: []syntax.WordPart{&syntax.SglQuoted{Value: s}}}
}
