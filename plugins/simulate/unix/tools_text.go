package unix

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// basic turns a basic regular expression into Go's.
func basic(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte("(){}|+?", s[i+1]) >= 0:
			i++
			b.WriteByte(s[i])
		case strings.IndexByte("(){}|+?", c) >= 0:
			b.WriteString(`\` + string(c))
		case c == '\\' && i+1 < len(s):
			b.WriteString(s[i : i+2])
			i++
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func grep(c *Call) int {
	f, names := c.flags("em")
	pattern, ok := f['e']
	if !ok {
		if len(names) == 0 {
			return 2
		}
		pattern, names = names[0], names[1:]
	}
	switch {
	case has(f, 'F'):
		pattern = regexp.QuoteMeta(pattern)
	case !has(f, 'E'):
		pattern = basic(pattern)
	}
	if has(f, 'x') {
		pattern = "^(?:" + pattern + ")$"
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return c.Fail("bad regex '%s'", pattern)
	}
	data, status := c.input(names)
	if status != 0 && !has(f, 's') {
		return 2
	}
	hits := 0
	scanLines(data, func(line string) {
		if re.MatchString(line) != has(f, 'v') {
			if hits++; !has(f, 'q') && !has(f, 'c') {
				fmt.Fprintln(c.Out, line)
			}
		}
	})
	if has(f, 'c') {
		fmt.Fprintln(c.Out, hits)
	}
	if hits == 0 {
		return 1
	}
	return 0
}

// sed is sed [-n] 's…'[gp] and '/…/d'.
func sed(c *Call) int {
	f, names := c.flags("e")
	script, ok := f['e']
	if !ok {
		if len(names) == 0 {
			return 1
		}
		script, names = names[0], names[1:]
	}
	data, status := c.input(names)
	if len(script) < 3 {
		return c.Fail("unsupported command %s", script)
	}
	if script[0] == '/' && strings.HasSuffix(script, "/d") {
		re, err := regexp.Compile(basic(script[1 : len(script)-2]))
		if err != nil {
			return c.Fail("bad regex")
		}
		scanLines(data, func(line string) {
			if !re.MatchString(line) {
				fmt.Fprintln(c.Out, line)
			}
		})
		return status
	}
	parts := strings.Split(script[2:], script[1:2])
	if script[0] != 's' || len(parts) != 3 {
		return c.Fail("unsupported command %s", script)
	}
	re, err := regexp.Compile(basic(parts[0]))
	if err != nil {
		return c.Fail("bad regex")
	}
	to := regexp.MustCompile(`\\([0-9])`).ReplaceAllString(strings.ReplaceAll(strings.ReplaceAll(parts[1], "$", "$$"), "&", "${0}"), "$${$1}")
	ends := bytes.HasSuffix(data, []byte("\n")) || len(data) == 0
	var out []string
	scanLines(data, func(line string) {
		hit := re.MatchString(line)
		if strings.Contains(parts[2], "g") {
			line = re.ReplaceAllString(line, to)
		} else if m := re.FindStringSubmatchIndex(line); m != nil {
			line = line[:m[0]] + string(re.ExpandString(nil, to, line, m)) + line[m[1]:]
		}
		if !has(f, 'n') || hit && strings.Contains(parts[2], "p") {
			out = append(out, line)
		}
	})
	text := strings.Join(out, "\n")
	if len(out) > 0 && ends {
		text += "\n"
	}
	io.WriteString(c.Out, text)
	return status
}
func cat(c *Call) int {
	_, names := c.flags("")
	data, status := c.input(names)
	c.Out.Write(data)
	return status
}

func lines(data []byte) [][]byte {
	return slices.Collect(func(y func([]byte) bool) {
		for l := range bytes.Lines(data) {
			if !y(l) {
				return
			}
		}
	})
}

func head(c *Call) int {
	f, names := c.flags("nc")
	data, status := c.input(names)
	n := 10
	if v, ok := f['n']; ok {
		n, _ = strconv.Atoi(v)
	}
	if v, ok := f['c']; ok {
		k, _ := strconv.Atoi(v)
		c.Out.Write(data[:min(k, len(data))])
		return status
	}
	all := lines(data)
	c.Out.Write(bytes.Join(all[:min(n, len(all))], nil))
	return status
}

func tail(c *Call) int {
	f, names := c.flags("nc")
	data, status := c.input(names)
	all := lines(data)
	v := f['n']
	if v == "" {
		v = "10"
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(v, "+"))
	if strings.HasPrefix(v, "+") {
		all = all[min(max(n-1, 0), len(all)):]
	} else {
		all = all[max(len(all)-n, 0):]
	}
	c.Out.Write(bytes.Join(all, nil))
	return status
}

func wc(c *Call) int {
	f, names := c.flags("")
	data, status := c.input(names)
	n := len(data)
	if has(f, 'l') {
		n = bytes.Count(data, []byte("\n"))
	}
	suffix := ""
	if len(names) > 0 {
		suffix = " " + names[0]
	}
	fmt.Fprintf(c.Out, "%d%s\n", n, suffix)
	return status
}

func cmp(c *Call) int {
	_, names := c.flags("")
	if len(names) != 2 {
		return 2
	}
	a, s1 := c.input(names[:1])
	b, s2 := c.input(names[1:])
	switch {
	case s1+s2 > 0:
		return 2
	case !bytes.Equal(a, b):
		return 1
	}
	return 0
}

func sortTool(c *Call) int {
	f, names := c.flags("k")
	data, status := c.input(names)
	all := lines(data)
	if n := len(all); n > 0 && !bytes.HasSuffix(all[n-1], []byte("\n")) {
		all[n-1] = append(bytes.Clone(all[n-1]), '\n')
	}
	slices.SortStableFunc(all, bytes.Compare)
	if has(f, 'u') {
		all = slices.CompactFunc(all, bytes.Equal)
	}
	c.Out.Write(bytes.Join(all, nil))
	return status
}

func tr(c *Call) int {
	f, sets := c.flags("")
	data, _ := c.input(nil)
	unescape := func(s string) string {
		return strings.NewReplacer(`\000`, "\x00", `\n`, "\n", `\t`, "\t", `\r`, "\r").Replace(s)
	}
	if len(sets) == 0 {
		return 1
	}
	from := unescape(sets[0])
	if has(f, 'd') {
		c.Out.Write(bytes.Map(func(r rune) rune {
			if strings.ContainsRune(from, r) {
				return -1
			}
			return r
		}, data))
		return 0
	}
	to := unescape(sets[1])
	for i := range data {
		if k := strings.IndexByte(from, data[i]); k >= 0 {
			data[i] = to[min(k, len(to)-1)]
		}
	}
	c.Out.Write(data)
	return 0
}

func sum(kind string) Tool {
	return func(c *Call) int {
		names := c.Args[1:]
		if len(names) == 0 {
			names = []string{"-"}
		}
		status := 0
		for _, n := range names {
			data, bad := c.input([]string{n})
			if status |= bad; bad != 0 {
				continue
			}
			if kind == "md5" {
				h := md5.Sum(data)
				fmt.Fprintf(c.Out, "%s  %s\n", hex.EncodeToString(h[:]), n)
			} else {
				h := sha256.Sum256(data)
				fmt.Fprintf(c.Out, "%s  %s\n", hex.EncodeToString(h[:]), n)
			}
		}
		return status
	}
}

func base64Tool(c *Call) int {
	f, names := c.flags("w")
	data, status := c.input(names)
	if has(f, 'd') {
		out, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(data), "\n", ""))
		if err != nil {
			return c.Fail("invalid input")
		}
		c.Out.Write(out)
		return status
	}
	s := base64.StdEncoding.EncodeToString(data)
	for len(s) > 76 {
		io.WriteString(c.Out, s[:76]+"\n")
		s = s[76:]
	}
	io.WriteString(c.Out, s+"\n")
	return status
}

func tee(c *Call) int {
	data, _ := c.input(nil)
	for _, n := range c.Args[1:] {
		c.mu.Lock()
		c.files.Put(c.path(n), bytes.Clone(data), 0o644)
		c.mu.Unlock()
	}
	c.Out.Write(data)
	return 0
}

func basename(c *Call) int {
	if len(c.Args) < 2 {
		return 1
	}
	if c.Args[0] == "dirname" {
		return say(c, path.Dir(c.Args[1])+"\n")
	}
	return say(c, path.Base(c.Args[1])+"\n")
}
