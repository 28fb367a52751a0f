package yamllint

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// patterns are file patterns as .gitignore has them: the last that matches a path decides.
type patterns struct {
	list []pattern
}

type pattern struct {
	re     *regexp.Regexp
	negate bool
}

// newPatterns reads patterns, one a line; empty lines and comments are skipped.
func newPatterns(lines []string) (*patterns, error) {
	p := &patterns{}
	for _, line := range lines {
		re, negate, err := compilePattern(line)
		if err != nil {
			return nil, fmt.Errorf("file pattern %q cannot be used", line)
		}
		if re != nil {
			p.list = append(p.list, pattern{re, negate})
		}
	}
	return p, nil
}

// match tells whether a path is matched. The path is cleaned of a leading "./" or "/".
func (p *patterns) match(path string) bool {
	if p == nil || len(p.list) == 0 {
		return false
	}
	path = strings.TrimPrefix(path, "/")
	for strings.HasPrefix(path, "./") {
		path = path[2:]
	}
	for i := len(p.list) - 1; i >= 0; i-- {
		if p.list[i].re.MatchString(path) {
			return !p.list[i].negate
		}
	}
	return false
}

// compilePattern translates one line; nil where it holds no pattern.
func compilePattern(line string) (re *regexp.Regexp, negate bool, err error) {
	line = strings.TrimRight(line, "\r\n\t\v\f")
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	switch {
	case line == "" || line == "/" || line[0] == '#':
		return nil, false, nil
	case line[0] == '!':
		line, negate = line[1:], true
	case strings.HasPrefix(line, `\#`) || strings.HasPrefix(line, `\!`):
		line = line[1:]
	}
	if line == "" || strings.HasSuffix(line, `\`) && !strings.HasSuffix(line, `\\`) {
		return nil, false, errors.New("nothing follows")
	}
	folder := strings.HasSuffix(line, "/")
	line = strings.TrimSuffix(line, "/")
	if folder && line == "**" {
		line = "*"
	}
	anchored := strings.Contains(line, "/")
	segments := strings.Split(strings.TrimPrefix(line, "/"), "/")

	var b strings.Builder
	b.WriteString(`^`)
	if !anchored {
		b.WriteString(`(?:.*/)?`)
	}
	writeSegments(&b, segments)
	switch {
	case segments[len(segments)-1] == "**":
		b.WriteString(`.*$`)
	case folder:
		b.WriteString(`/.*$`)
	default:
		b.WriteString(`(?:/.*)?$`)
	}
	re, err = regexp.Compile(b.String())
	return re, negate, err
}

func writeSegments(b *strings.Builder, segments []string) {
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "**" && last:
			continue
		case s == "**":
			b.WriteString(`(?:.*/)?`)
			continue
		case s == "*":
			b.WriteString(`[^/]+`)
		default:
			writeSegment(b, s)
		}
		if !last {
			b.WriteString(`/`)
		}
	}
}

// writeSegment translates one part of a pattern, between slashes.
func writeSegment(b *strings.Builder, s string) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '*':
			b.WriteString(`[^/]*`)
			for i+1 < len(s) && s[i+1] == '*' {
				i++
			}
		case '?':
			b.WriteString(`[^/]`)
		case '\\':
			if i+1 < len(s) {
				i++
			}
			b.WriteString(regexp.QuoteMeta(s[i : i+1]))
		case '[':
			i += writeSet(b, s[i:]) - 1
		default:
			b.WriteString(regexp.QuoteMeta(s[i : i+1]))
		}
	}
}

// writeSet translates a set of characters such as [a-z] or [!0-9] and returns how long it is; an unclosed one is only
// a bracket.
func writeSet(b *strings.Builder, s string) int {
	from := 1
	if from < len(s) && (s[from] == '!' || s[from] == '^') {
		from++
	}
	end := strings.IndexByte(s[min(from+1, len(s)):], ']')
	if end < 0 {
		b.WriteString(`\[`)
		return 1
	}
	end += from + 1
	b.WriteString(`[`)
	if from == 2 {
		b.WriteString(`^`)
	}
	b.WriteString(strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`).Replace(s[from:end]))
	b.WriteString(`]`)
	return end + 1
}
