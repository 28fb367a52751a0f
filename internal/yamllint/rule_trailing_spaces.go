package yamllint

func trailingSpacesRule() *Rule {
	return &Rule{
		Name: "trailing-spaces",
		What: "Forbids spaces and tabs at the end of a line.",
		Why:  "They are not seen, yet they show up in diffs, and inside block scalars they are part of the value.",
		Bad:  "name: web  \n", Good: "name: web\n",
		check: func(_ options, text []byte, r *reporter) checks {
			return checks{line: func(l *textLine) {
				i := l.end
				for i > l.start && isASCIISpace(text[i-1]) {
					i--
				}
				if i < l.end && (text[i] == ' ' || text[i] == '\t') {
					r.report(l.no, runeLen(text[l.start:i])+1, "trailing spaces")
				}
			}}
		},
	}
}

func isASCIISpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
