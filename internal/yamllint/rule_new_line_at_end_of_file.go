package yamllint

func newLineAtEndOfFileRule() *Rule {
	return &Rule{
		Name: "new-line-at-end-of-file",
		What: "Asks for a line break at the end of a file.",
		Why:  "A line ends with a line break; tools that join, compare or append files count on it.",
		Bad:  "name: web", Good: "name: web\n",
		check: func(_ options, text []byte, r *reporter) checks {
			return checks{line: func(l *textLine) {
				if l.end == len(text) && l.end > l.start {
					r.report(l.no, runeLen(text[l.start:l.end])+1, "no new line character at the end of file")
				}
			}}
		},
	}
}
