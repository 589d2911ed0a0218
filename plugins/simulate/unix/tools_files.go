package unix

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

func ls(c *Call) int {
	f, names := c.flags("")
	if len(names) == 0 {
		names = []string{"."}
	}
	status := 0
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names {
		p, x := c.files.lookup(path.Clean(c.path(n)), true)
		if x == nil {
			status = c.Fail("%s: No such file or directory", n)
			continue
		}
		if !x.mode.IsDir() || has(f, 'd') {
			fmt.Fprintln(c.Out, n)
			continue
		}
		list := c.files.List(p)
		if has(f, 't') {
			slices.SortStableFunc(list, func(a, b string) int {
				return c.files.all[strings.TrimSuffix(p, "/")+"/"+b].mtime.Compare(c.files.all[strings.TrimSuffix(p, "/")+"/"+a].mtime)
			})
		}
		for _, e := range list {
			if e[0] != '.' || has(f, 'A') || has(f, 'a') {
				fmt.Fprintln(c.Out, e)
			}
		}
	}
	return status
}

func mkdir(c *Call) int {
	f, names := c.flags("m")
	status := 0
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names {
		p, err := c.files.resolve(c.path(n), true)
		if err != nil {
			return c.Fail("%s: %v", n, err)
		}
		x := c.files.all[p]
		switch {
		case x != nil && x.mode.IsDir() && has(f, 'p'):
			continue
		case x != nil:
			status = c.Fail("can't create directory '%s': File exists", n)
			continue
		case c.full:
			return c.Fail("can't create directory '%s': No space left on device", n)
		case c.files.all[path.Dir(p)] == nil && !has(f, 'p'):
			status = c.Fail("can't create directory '%s': No such file or directory", n)
			continue
		}
		c.files.folders(path.Dir(p))
		mode := fs.FileMode(0o777) &^ c.umask
		if v, ok := f['m']; ok {
			k, _ := strconv.ParseUint(v, 8, 32)
			mode = fs.FileMode(k)
		}
		c.files.all[p] = &file{mode: fs.ModeDir | mode, owner: "root", group: "root", mtime: c.files.now()}
	}
	return status
}

func rm(c *Call) int {
	f, names := c.flags("")
	status := 0
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names {
		p, err := c.files.resolve(c.path(n), false)
		x := c.files.all[p]
		switch {
		case err != nil || x == nil:
			if !has(f, 'f') {
				status = c.Fail("can't remove '%s': No such file or directory", n)
			}
		case x.mode.IsDir() && !has(f, 'r') && c.Args[0] != "rmdir":
			status = c.Fail("'%s' is a directory", n)
		case c.Args[0] == "rmdir" && (!x.mode.IsDir() || len(c.files.List(p)) > 0):
			status = c.Fail("'%s': Directory not empty", n)
		default:
			c.files.Remove(p)
		}
	}
	return status
}

func mv(c *Call) int {
	_, names := c.flags("")
	if len(names) != 2 {
		return c.Fail("usage: mv FROM TO")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.files.rename(c.path(names[0]), c.path(names[1])); err != nil {
		return c.Fail("can't rename '%s': %v", names[0], err)
	}
	return 0
}

func cp(c *Call) int {
	f, names := c.flags("")
	if len(names) < 2 {
		return c.Fail("usage: cp FROM TO")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	to := c.path(names[len(names)-1])
	keep := has(f, 'a') || has(f, 'p')
	status := 0
	for _, n := range names[:len(names)-1] {
		from, x := c.files.lookup(c.path(n), !has(f, 'a') && !has(f, 'd'))
		if x == nil {
			status = c.Fail("can't stat '%s': No such file or directory", n)
			continue
		}
		if c.full {
			return c.Fail("write error: No space left on device")
		}
		dest := to
		dot := strings.HasSuffix(n, "/.")
		if p, d := c.files.lookup(to, true); d != nil && d.mode.IsDir() {
			if dest = p; !dot {
				dest = path.Join(p, path.Base(n))
			}
		}
		if x.mode.IsDir() && !has(f, 'a') && !has(f, 'r') && !has(f, 'R') {
			status = c.Fail("omitting directory '%s'", n)
			continue
		}
		for _, p := range append([]string{from}, c.files.Under(from)...) {
			if !x.mode.IsDir() && p != from {
				continue
			}
			y, name := x, dest
			if p != from {
				y, name = c.files.all[p], dest+strings.TrimPrefix(p, from)
			}
			if dot && p == from {
				continue
			}
			if c.files.all[path.Dir(name)] == nil {
				status = c.Fail("can't create '%s': No such file or directory", name)
				break
			}
			z := *y
			z.data = bytes.Clone(y.data)
			if !keep {
				z.owner, z.group, z.mtime, z.mode = "root", "root", c.files.now(), z.mode&^c.umask
				if old := c.files.all[name]; old != nil && !old.mode.IsDir() && old.link == "" {
					z.mode = old.mode
				}
			}
			if old := c.files.all[name]; old != nil && old.link != "" && !has(f, 'a') {
				name, _ = c.files.resolve(name, true)
			}
			c.files.all[name] = &z
		}
	}
	return status
}

func ln(c *Call) int {
	f, names := c.flags("")
	if len(names) != 2 || !has(f, 's') {
		return c.Fail("usage: ln -s TO NAME")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	name := path.Clean(c.path(names[1]))
	if p, x := c.files.lookup(name, true); x != nil && x.mode.IsDir() && !has(f, 'n') {
		name = path.Join(p, path.Base(names[0]))
	}
	p, _ := c.files.resolve(name, false)
	switch {
	case c.files.all[p] != nil && !has(f, 'f'):
		return c.Fail("%s: File exists", names[1])
	case c.files.all[path.Dir(p)] == nil:
		return c.Fail("%s: No such file or directory", names[1])
	case c.full:
		return c.Fail("%s: No space left on device", names[1])
	}
	c.files.Link(p, names[0])
	return 0
}

func readlink(c *Call) int {
	f, names := c.flags("")
	if len(names) != 1 {
		return 1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.files.resolve(c.path(names[0]), has(f, 'f'))
	if err != nil {
		return 1
	}
	if has(f, 'f') {
		return say(c, p+"\n")
	}
	if x := c.files.all[p]; x != nil && x.link != "" {
		return say(c, x.link+"\n")
	}
	return 1
}

func chmod(c *Call) int {
	_, names := c.flags("")
	if len(names) < 2 {
		return 1
	}
	mode, err := strconv.ParseUint(names[0], 8, 32)
	if err != nil && names[0] != "+x" {
		return c.Fail("invalid mode '%s'", names[0])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names[1:] {
		_, x := c.files.lookup(c.path(n), true)
		if x == nil {
			return c.Fail("%s: No such file or directory", n)
		}
		if err != nil {
			x.mode |= 0o111
			continue
		}
		x.mode = x.mode&fs.ModeType | fs.FileMode(mode)
	}
	return 0
}

func chown(c *Call) int {
	_, names := c.flags("")
	if len(names) < 2 {
		return 1
	}
	owner, group, _ := strings.Cut(names[0], ":")
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names[1:] {
		_, x := c.files.lookup(c.path(n), true)
		if x == nil {
			return c.Fail("%s: No such file or directory", n)
		}
		if x.owner = owner; group != "" {
			x.group = group
		}
	}
	return 0
}

func touch(c *Call) int {
	_, names := c.flags("")
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names {
		if c.full {
			return c.Fail("%s: No space left on device", n)
		}
		p, x := c.files.lookup(c.path(n), true)
		if x != nil {
			x.mtime = c.files.now()
			continue
		}
		if c.files.all[path.Dir(p)] == nil {
			return c.Fail("%s: No such file or directory", n)
		}
		c.files.all[p] = &file{mode: 0o666 &^ c.umask, owner: "root", group: "root", mtime: c.files.now()}
	}
	return 0
}

// find is find PATH… [-name PATTERN] [-type f|l|d] [-mtime +N] [-print].
func find(c *Call) int {
	var roots []string
	args := c.Args[1:]
	for len(args) > 0 && args[0][0] != '-' && args[0][0] != '(' && args[0][0] != '\\' {
		roots, args = append(roots, args[0]), args[1:]
	}
	var name, kind string
	age := -1
	for len(args) > 0 {
		switch {
		case args[0] == "-name" && len(args) > 1:
			name, args = args[1], args[1:]
		case args[0] == "-type" && len(args) > 1:
			kind, args = kind+args[1], args[1:]
		case args[0] == "-mtime" && len(args) > 1:
			age, _ = strconv.Atoi(strings.TrimPrefix(args[1], "+"))
			args = args[1:]
		case args[0] == "-print" || args[0] == "(" || args[0] == ")" || args[0] == "-o":
		default:
			return c.Fail("unrecognized: %s", args[0])
		}
		args = args[1:]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	status := 0
	for _, r := range roots {
		at, x := c.files.lookup(c.path(r), false)
		if x == nil {
			status = c.Fail("%s: No such file or directory", r)
			continue
		}
		all := []string{at}
		if x.mode.IsDir() {
			all = append(all, c.files.Under(at)...)
		}
		for _, p := range all {
			y := c.files.all[p]
			k := "f"
			if y.mode.IsDir() {
				k = "d"
			} else if y.link != "" {
				k = "l"
			}
			if ok, _ := path.Match(name, path.Base(p)); name != "" && !ok || kind != "" && !strings.Contains(kind, k) ||
				age >= 0 && c.files.now().Sub(y.mtime) <= time.Duration(age)*24*time.Hour {
				continue
			}
			fmt.Fprintln(c.Out, strings.TrimSuffix(r, "/")+strings.TrimPrefix(p, at))
		}
	}
	return status
}

// stat is stat -c FORMAT FILE….
func stat(c *Call) int {
	f, names := c.flags("c")
	c.mu.Lock()
	defer c.mu.Unlock()
	status := 0
	for _, n := range names {
		_, x := c.files.lookup(c.path(n), false)
		if x == nil {
			status = c.Fail("cannot stat '%s': No such file or directory", n)
			continue
		}
		fmt.Fprintln(c.Out, strings.NewReplacer("%n", n, "%s", strconv.Itoa(len(x.data)), "%a", strconv.FormatUint(uint64(x.mode.Perm()), 8),
			"%U", x.owner, "%G", x.group, "%Z", strconv.FormatInt(x.mtime.Unix(), 10), "%i", "1").Replace(f['c']))
	}
	return status
}
