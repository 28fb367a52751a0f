package yamllint

func hyphensRule() *Rule {
	return &Rule{
		Name: "hyphens",
		What: "Limits the spaces after a hyphen.",
		Why:  "One way to write a list is easier to read, and keeps the keys of its items in one column.",
		Bad:  "---\n-   run\n- web\n", Good: "---\n- run\n- web\n",
		Options: []Option{
			{Name: "max-spaces-after", What: "how many spaces may be after a hyphen; -1 for any number", Default: 1, Type: Type{Int: true}},
		},
		check: func(o options, _ []byte, r *reporter) checks {
			most := o.int("max-spaces-after")
			return checks{kinds: []Kind{BlockEntry}, token: func(w *window) {
				if w.cur.Kind != BlockEntry || most == -1 {
					return
				}
				if spacesAfter(w.cur, w.next) > most {
					r.report(w.cur.Start.Line+1, w.next.Start.Column, "too many spaces after hyphen")
				}
			}}
		},
	}
}
