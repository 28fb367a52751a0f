package yamllint

import "fmt"

func emptyLinesRule() *Rule {
	return &Rule{
		Name: "empty-lines",
		What: "Limits how many empty lines may follow one another.",
		Why:  "Empty lines set sections apart; more of them push content off the screen.",
		Bad:  "---\nname: web\n\n\n\nreplicas: 2\n", Good: "---\nname: web\n\nreplicas: 2\n",
		Options: []Option{
			{Name: "max", What: "how many empty lines may follow one another", Default: 2, Type: Type{Int: true}},
			{Name: "max-start", What: "how many may be at the start of a file", Default: 0, Type: Type{Int: true}},
			{Name: "max-end", What: "how many may be at the end of a file", Default: 0, Type: Type{Int: true}},
		},
		check: checkEmptyLines,
	}
}

func checkEmptyLines(o options, text []byte, r *reporter) checks {
	most, atStart, atEnd := o.int("max"), o.int("max-start"), o.int("max-end")
	return checks{line: func(l *textLine) {
		if l.start != l.end || l.end == len(text) || startsWith(text, l.end, "\n\n") || startsWith(text, l.end, "\r\n\r\n") {
			return // only the last of empty lines speaks for all
		}
		count, start := emptyLinesBefore(text, l.start)
		limit := most
		if start == 0 {
			limit = atStart
		}
		if rest := string(text[l.end:min(l.end+3, len(text))]); rest == "\n" || rest == "\r\n" {
			if len(text) == len(rest) {
				return // a file of one line break
			}
			limit = atEnd
		}
		if count > limit {
			r.report(l.no, 1, fmt.Sprintf("too many blank lines (%d > %d)", count, limit))
		}
	}}
}

// emptyLinesBefore counts the empty line that starts at the offset and those right before it, and returns where they
// start. Of mixed line breaks it counts CRLF before LF, no more.
func emptyLinesBefore(text []byte, start int) (count, from int) {
	count = 1
	for start >= 2 && startsWith(text, start-2, "\r\n") && (start == 2 || text[start-3] == '\n') {
		start -= 2
		count++
	}
	for start >= 1 && text[start-1] == '\n' && (start == 1 || text[start-2] == '\n') {
		start--
		count++
	}
	return count, start
}

func startsWith(text []byte, i int, s string) bool {
	return i+len(s) <= len(text) && string(text[i:i+len(s)]) == s
}
