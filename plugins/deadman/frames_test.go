package deadman_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/cfgvault/cfgvault/plugins/deadman"
)

// frame lets a real shell frame content that may look like anything.
func frame(t testing.TB, content []byte) []byte {
	t.Helper()
	cmd := exec.Command("sh", "-c", deadman.Frames+`f one cat; f two sh -c "exit 3"; echo @end`)
	cmd.Stdin = bytes.NewReader(content)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFrames(t *testing.T) {
	for _, content := range []string{
		"", "x", "x\n", "\n", "\n\n", "@end\n", "@one\nX0\n@end\n", "X0", "X0\n", "|", "a\r\nb\x00\xff\n", strings.Repeat("line\n", 1<<16), "X1\n@two\n",
	} {
		text := frame(t, []byte(content))
		p, err := deadman.Unframe(text)
		if err != nil || p.Text("one") != content || !p.OK("one") || p["two"].Status != 3 || p.OK("two") || p.OK("three") {
			t.Errorf("%.40q came back as %.40q: %v", content, p.Text("one"), err)
		}
		if len(text) > 1<<12 {
			continue
		}
		for n := range text { // cut anywhere
			if p, err := deadman.Unframe(text[:n]); err == nil {
				t.Errorf("%q cut after %d bytes passes as whole: %v", content, n, p)
			}
		}
	}
}

func FuzzUnframe(f *testing.F) {
	f.Add([]byte("@a\n|x\n|X0\n@end\n"))
	f.Add([]byte("@a\n|xX0\n@b\n|X1\n@end\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := deadman.Unframe(text)
		if err != nil {
			return
		}
		// What is read whole is in the text, line by line.
		for name, piece := range p {
			if !bytes.Contains(text, []byte("@"+name+"\n")) {
				t.Errorf("piece %q is not in the text", name)
			}
			for line := range bytes.Lines(piece.Data) {
				if !bytes.Contains(text, append([]byte("|"), line...)) {
					t.Errorf("line %q is not in the text", line)
				}
			}
		}
	})
}
