package yamllint

func commasRule() *Rule {
	return &Rule{
		Name: "commas",
		What: "Limits the spaces before and after a comma.",
		Why:  "One way to write a list is easier to read, and to search for.",
		Bad:  "---\nargs: [run ,web]\n", Good: "---\nargs: [run, web]\n",
		Options: []Option{
			{Name: "max-spaces-before", What: "how many spaces may be before a comma; -1 for any number, and for a comma that starts a line", Default: 0, Type: Type{Int: true}},
			{Name: "min-spaces-after", What: "how many spaces must be after a comma", Default: 1, Type: Type{Int: true}},
			{Name: "max-spaces-after", What: "how many spaces may be after a comma; -1 for any number", Default: 1, Type: Type{Int: true}},
		},
		check: checkCommas,
	}
}

func checkCommas(o options, text []byte, r *reporter) checks {
	before, least, most := o.int("max-spaces-before"), o.int("min-spaces-after"), o.int("max-spaces-after")
	return checks{kinds: []Kind{FlowEntry}, token: func(w *window) {
		t := w.cur
		if t.Kind != FlowEntry {
			return
		}
		if w.prev != nil && before != -1 {
			n := spacesBefore(text, w.prev, t)
			if w.prev.End.Line < t.Start.Line || n > before {
				r.report(t.Start.Line+1, max(t.Start.Column, 1), "too many spaces before comma")
			}
		}
		switch n := spacesAfter(t, w.next); {
		case n < 0:
		case most != -1 && n > most:
			r.report(t.Start.Line+1, w.next.Start.Column, "too many spaces after comma")
		case n < least:
			r.report(t.Start.Line+1, w.next.Start.Column+1, "too few spaces after comma")
		}
	}}
}
