package statements

import (
	"regexp"
	"strings"
)

// Filter applies one of the filters behind a "|": include, exclude, begin and
// section, by any unambiguous beginning of their names.
func Filter(out, f, invalid string) string {
	verb, pattern, _ := strings.Cut(f, " ")
	re, err := regexp.Compile(pattern)
	if err != nil || pattern == "" {
		return invalid + "\n"
	}
	var b strings.Builder
	begun := false
	for line := range strings.Lines(out) {
		hit := re.MatchString(line)
		switch {
		case strings.HasPrefix("include", verb):
			begun = hit
		case strings.HasPrefix("exclude", verb):
			begun = !hit
		case strings.HasPrefix("begin", verb):
			begun = begun || hit
		case strings.HasPrefix("section", verb):
			begun = hit || begun && strings.HasPrefix(line, " ")
		default:
			return invalid + "\n"
		}
		if begun {
			b.WriteString(line)
		}
	}
	return b.String()
}
