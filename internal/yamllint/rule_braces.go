package yamllint

func bracesRule() *Rule {
	return &Rule{
		Name: "braces",
		What: "Limits the spaces inside the braces of a flow mapping, or forbids flow mappings.",
		Why:  "One way to write them is easier to read; long ones are better written as blocks.",
		Bad:  "---\nlabels: { app: web }\n", Good: "---\nlabels: {app: web}\n",
		Options: bracketOptions("braces", "flow mappings"),
		check: func(o options, text []byte, r *reporter) checks {
			return checkBrackets(o, text, r, FlowMappingStart, FlowMappingEnd, "braces", "forbidden flow mapping")
		},
	}
}

// bracketOptions are the options that braces and brackets share.
func bracketOptions(name, collections string) []Option {
	return []Option{
		{
			Name: "forbid", What: "true forbids " + collections + ", non-empty forbids those with content",
			Default: false, Type: Type{Bool: true, Enum: []string{"non-empty"}},
		},
		{Name: "min-spaces-inside", What: "how many spaces must be inside " + name, Default: 0, Type: Type{Int: true}},
		{Name: "max-spaces-inside", What: "how many spaces may be inside " + name + "; -1 for any number", Default: 0, Type: Type{Int: true}},
		{Name: "min-spaces-inside-empty", What: "how many spaces must be inside empty " + name + "; -1 for what min-spaces-inside says", Default: -1, Type: Type{Int: true}},
		{Name: "max-spaces-inside-empty", What: "how many spaces may be inside empty " + name + "; -1 for what max-spaces-inside says", Default: -1, Type: Type{Int: true}},
	}
}

// checkBrackets checks braces or brackets.
func checkBrackets(o options, text []byte, r *reporter, open, shut Kind, name, forbidden string) checks {
	minFull, maxFull := o.int("min-spaces-inside"), o.int("max-spaces-inside")
	minEmpty, maxEmpty := o.int("min-spaces-inside-empty"), o.int("max-spaces-inside-empty")
	if minEmpty == -1 {
		minEmpty = minFull
	}
	if maxEmpty == -1 {
		maxEmpty = maxFull
	}
	forbidAll, forbidFull := o.bool("forbid"), o.string("forbid") == "non-empty"
	inside := func(spaces, least, most int, m Mark, column int, what string) {
		switch {
		case spaces < 0:
		case most != -1 && spaces > most:
			r.report(m.Line+1, column, "too many spaces inside "+what)
		case spaces < least:
			r.report(m.Line+1, column+1, "too few spaces inside "+what)
		}
	}
	return checks{kinds: []Kind{open, shut}, token: func(w *window) {
		t := w.cur
		switch {
		case t.Kind == open && (forbidAll || forbidFull && w.next != nil && w.next.Kind != shut):
			r.report(t.Start.Line+1, t.End.Column+1, forbidden)
		case t.Kind == open && w.next != nil && w.next.Kind == shut:
			inside(spacesAfter(t, w.next), minEmpty, maxEmpty, t.End, w.next.Start.Column, "empty "+name)
		case t.Kind == open:
			if n := spacesAfter(t, w.next); n >= 0 {
				inside(n, minFull, maxFull, t.End, w.next.Start.Column, name)
			}
		}
		if t.Kind == shut && w.prev != nil && w.prev.Kind != open {
			if n := spacesBefore(text, w.prev, t); n >= 0 {
				inside(n, minFull, maxFull, t.Start, t.Start.Column, name)
			}
		}
	}}
}
