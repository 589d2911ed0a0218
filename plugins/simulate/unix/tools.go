package unix

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// common are the commands that every machine has unless Options.Without names
// them: those of busybox, with the options that scripts use.
func common() map[string]Tool {
	return map[string]Tool{
		"sh": shTool, "ash": shTool, "setsid": setsid, "start-stop-daemon": startStop, "__kill": kill, "__which": which, "which": which,
		"sleep": sleep, "id": func(c *Call) int { return say(c, "0\n") }, "uname": uname, "hostname": hostname, "date": date,
		"sync": func(*Call) int { return 0 }, "logger": func(*Call) int { return 0 },
		"cat": cat, "head": head, "tail": tail, "wc": wc, "cmp": cmp, "sort": sortTool, "tr": tr, "grep": grep, "sed": sed,
		"md5sum": sum("md5"), "sha256sum": sum("sha256"), "base64": base64Tool, "tee": tee, "basename": basename, "dirname": basename,
		"ls": ls, "mkdir": mkdir, "rm": rm, "rmdir": rm, "mv": mv, "cp": cp, "ln": ln, "readlink": readlink, "chmod": chmod, "chown": chown, "touch": touch,
		"mktemp": mktemp, "find": find, "stat": stat, "dd": dd, "tar": tarTool, "gzip": gzipTool, "gunzip": gzipTool, "zcat": gzipTool,
	}
}

func say(c *Call, text string) int {
	io.WriteString(c.Out, text)
	return 0
}

// Fail prints the command's complaint and returns status 1.
func (c *Call) Fail(format string, args ...any) int {
	fmt.Fprintf(c.Err, c.Args[0]+": "+format+"\n", args...)
	return 1
}

// flags splits leading options, of which those in with take a value, from
// operands.
func (c *Call) flags(with string) (flags map[byte]string, rest []string) {
	flags = map[byte]string{}
	args := c.Args[1:]
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		if args[0] == "--" {
			return flags, args[1:]
		}
		letters := args[0][1:]
		args = args[1:]
		for i := 0; i < len(letters); i++ {
			if strings.IndexByte(with, letters[i]) < 0 {
				flags[letters[i]] = ""
				continue
			}
			if i+1 < len(letters) {
				flags[letters[i]] = letters[i+1:]
			} else if len(args) > 0 {
				flags[letters[i]], args = args[0], args[1:]
			}
			break
		}
	}
	return flags, args
}

func has(flags map[byte]string, letter byte) bool { _, ok := flags[letter]; return ok }

// file is an operand as a path.
func (c *Call) path(name string) string { return resolveIn(c.Dir, name) }

// Input is what the operands, or else standard input, hold.
func (c *Call) input(names []string) ([]byte, int) {
	if len(names) == 0 {
		data, err := io.ReadAll(c.In)
		if err != nil {
			return nil, 1
		}
		return data, 0
	}
	var all []byte
	status := 0
	for _, n := range names {
		if n == "-" {
			data, _ := io.ReadAll(c.In)
			all = append(all, data...)
			continue
		}
		if n == "/dev/null" {
			continue
		}
		c.mu.Lock()
		data, err := c.files.Read(c.path(n))
		all = append(all, data...)
		c.mu.Unlock()
		if err != nil {
			status = c.Fail("%s: No such file or directory", n)
		}
	}
	return all, status
}

func shTool(c *Call) int {
	return c.child(c, append([]string{"sh"}, c.Args[1:]...))
}

func setsid(c *Call) int {
	if len(c.Args) < 2 {
		return 1
	}
	return c.detachOrRun(c.Args[1:])
}

// detachOrRun starts a command in a session of its own. In a shell's
// background it goes on when the shell ends.
func (c *Call) detachOrRun(args []string) int {
	if args[0] != "sh" && args[0] != "/bin/sh" {
		return c.Fail("can't execute '%s': No such file or directory", args[0])
	}
	c.Detach(append([]string{"sh"}, args[1:]...))
	return 0
}

// startStop is start-stop-daemon -S -b [-x|-a] PROGRAM -- ARGUMENTS.
func startStop(c *Call) int {
	var program string
	var start, background bool
	args := c.Args[1:]
	for len(args) > 0 && args[0] != "--" {
		switch args[0] {
		case "-S", "-K":
			start = args[0] == "-S"
		case "-b":
			background = true
		case "-x", "-a", "-n", "-p":
			if len(args) < 2 {
				return c.Fail("option requires an argument")
			}
			if args[0] != "-n" && args[0] != "-p" {
				program = args[1]
			}
			args = args[1:]
		case "-q", "-m":
		default:
			return c.Fail("unrecognized option: %s", args[0])
		}
		args = args[1:]
	}
	if len(args) > 0 {
		args = args[1:]
	}
	if !start || !background || program == "" {
		return c.Fail("need -S, -b and -x")
	}
	return c.detachOrRun(append([]string{program}, args...))
}

func kill(c *Call) int {
	args := c.Args[1:]
	signal := "TERM"
	if len(args) > 0 && strings.HasPrefix(args[0], "-") && len(args) > 1 {
		signal, args = args[0][1:], args[1:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	status := 0
	for _, a := range args {
		n, err := strconv.Atoi(a)
		if err != nil {
			return c.Fail("invalid number '%s'", a)
		}
		hit := false
		c.mu.Lock()
		for pid, p := range c.procs {
			if pid == n || n < 0 && p.group == -n {
				hit = true
				if signal != "0" {
					p.stop()
				}
			}
		}
		c.mu.Unlock()
		if !hit {
			status = 1
		}
	}
	return status
}

func which(c *Call) int {
	name := c.Args[len(c.Args)-1]
	if _, ok := c.tools[name]; ok || slices.Contains([]string{"echo", "printf", "test", "[", "read", "cd", "kill", "command"}, name) {
		return say(c, "/bin/"+name+"\n")
	}
	return 127
}

func sleep(c *Call) int {
	if len(c.Args) != 2 {
		return c.Fail("missing operand")
	}
	s, err := strconv.ParseFloat(c.Args[1], 64)
	if err != nil {
		return c.Fail("invalid number '%s'", c.Args[1])
	}
	return c.sleep(time.Duration(s * float64(time.Second)))
}

func uname(c *Call) int {
	if len(c.Args) > 1 && c.Args[1] == "-n" {
		return say(c, c.Hostname()+"\n")
	}
	return say(c, "Linux\n")
}

func hostname(c *Call) int {
	if len(c.Args) == 2 {
		c.SetHostname(c.Args[1])
		return 0
	}
	return say(c, c.Hostname()+"\n")
}

func date(c *Call) int {
	now := c.opts.Clock.Now().UTC()
	if len(c.Args) > 1 && c.Args[1] == "+%s" {
		return say(c, strconv.FormatInt(now.Unix(), 10)+"\n")
	}
	return say(c, now.Format("Mon Jan  2 15:04:05 UTC 2006\n"))
}

func mktemp(c *Call) int {
	f, names := c.flags("")
	if len(names) == 0 {
		names = []string{"/tmp/tmp.XXXXXX"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	name := strings.Replace(names[0], "XXXXXX", fmt.Sprintf("%06d", c.next), 1)
	if c.full {
		return c.Fail("%s: No space left on device", name)
	}
	mode := fs.FileMode(0o600)
	if has(f, 'd') {
		mode = fs.ModeDir | 0o700
	}
	if d := c.files.all[path.Dir(name)]; d == nil {
		return c.Fail("%s: No such file or directory", name)
	}
	c.files.all[name] = &file{mode: mode, owner: "root", group: "root", mtime: c.files.now()}
	return say(c, name+"\n")
}

func dd(c *Call) int {
	var in, out string
	bs, count := 512, -1
	for _, a := range c.Args[1:] {
		k, v, _ := strings.Cut(a, "=")
		switch k {
		case "if":
			in = v
		case "of":
			out = v
		case "bs":
			bs, _ = strconv.Atoi(v)
		case "count":
			count, _ = strconv.Atoi(v)
		}
	}
	var data []byte
	if in == "/dev/zero" {
		data = make([]byte, bs*max(count, 0))
	} else {
		var status int
		if data, status = c.input(slices.DeleteFunc([]string{in}, func(s string) bool { return s == "" })); status != 0 {
			return status
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full {
		return c.Fail("writing '%s': No space left on device", out)
	}
	if out == "" {
		c.Out.Write(data)
		return 0
	}
	c.files.Put(c.path(out), data, 0o644)
	return 0
}

// scanLines is the input line by line, newlines removed.
func scanLines(data []byte, f func(line string)) {
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		f(s.Text())
	}
}
