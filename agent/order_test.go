package agent

import "testing"

func TestOrderLines(t *testing.T) {
	a := "interface b\n  two\n  one\n!\ninterface a\n  one\n    deep\n\nlast\n"
	b := "last\ninterface a\n  one\n    deep\ninterface b\n  one\n  two\n"
	if orderLines(a) != orderLines(b) {
		t.Errorf("%q\n%q", orderLines(a), orderLines(b))
	}
	// A statement below another one is another statement.
	if c := "last\ninterface a\n  one\n    deep\n  two\ninterface b\n  one\n"; orderLines(a) == orderLines(c) {
		t.Errorf("a line went to another block unnoticed: %q", orderLines(c))
	}
	if c := "last\ninterface a\n  one\n    deep\ninterface b\n  one\n"; orderLines(a) == orderLines(c) {
		t.Error("a line was lost unnoticed")
	}
}
