package agent

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	tests := []struct {
		in   string
		ok   bool
		want time.Time
	}{
		{"2026-11-20T02:00", true, time.Date(2026, 11, 20, 2, 0, 0, 0, time.Local)},
		{"2026-11-20T02:00:05", true, time.Date(2026, 11, 20, 2, 0, 5, 0, time.Local)},
		{"2026-11-20T02:00:00Z", true, time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)},
		{"2026-11-20", true, time.Date(2026, 11, 20, 23, 59, 59, 999999999, time.Local)}, // its end
		{"20261120", false, time.Time{}},
		{"latest", false, time.Time{}},
	}
	for _, tt := range tests {
		got, ok := parseTime(tt.in)
		if ok != tt.ok || ok && !got.Equal(tt.want) {
			t.Errorf("parseTime(%q) = %v, %v", tt.in, got, ok)
		}
	}
}

func TestLooksLikeID(t *testing.T) {
	for in, want := range map[string]bool{"3fa2": true, "3fa": false, "core1": false, "3FA2": false, "0123456789abcdef0123456789abcdef": true} {
		if looksLikeID(in) != want {
			t.Errorf("looksLikeID(%q) = %v", in, !want)
		}
	}
}
