package yamllint

func colonsRule() *Rule {
	return &Rule{
		Name: "colons",
		What: "Limits the spaces before and after a colon, and after the question mark of an explicit key.",
		Why:  "One way to write a pair is easier to read, and to search for.",
		Bad:  "---\nname :  web\n", Good: "---\nname: web\n",
		Options: []Option{
			{Name: "max-spaces-before", What: "how many spaces may be before a colon; -1 for any number", Default: 0, Type: Type{Int: true}},
			{Name: "max-spaces-after", What: "how many spaces may be after a colon; -1 for any number", Default: 1, Type: Type{Int: true}},
		},
		check: checkColons,
	}
}

func checkColons(o options, text []byte, r *reporter) checks {
	before, after := o.int("max-spaces-before"), o.int("max-spaces-after")
	return checks{kinds: []Kind{Value, Key}, token: func(w *window) {
		t := w.cur
		switch {
		case t.Kind == Value && t.spelled():
			// "*x : 1" needs its space: a colon may be part of an alias' name.
			limit := before
			if limit == 0 && w.prev.Kind == Alias {
				limit = 1
			}
			if n := spacesBefore(text, w.prev, t); before != -1 && n != -1 && n > limit {
				r.report(t.Start.Line+1, max(t.Start.Column, 1), "too many spaces before colon")
			}
			if n := spacesAfter(t, w.next); after != -1 && n > after {
				r.report(t.End.Line+1, w.next.Start.Column, "too many spaces after colon")
			}
		case t.Kind == Key && t.spelled():
			if n := spacesAfter(t, w.next); after != -1 && n > after {
				r.report(t.End.Line+1, w.next.Start.Column, "too many spaces after question mark")
			}
		}
	}}
}
