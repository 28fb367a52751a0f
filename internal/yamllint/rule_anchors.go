package yamllint

func anchorsRule() *Rule {
	return &Rule{
		Name: "anchors",
		What: "Reports aliases without their anchor, and on demand anchors that are declared twice or never used.",
		Why:  "An alias whose anchor is missing, or comes later, cannot be loaded.",
		Bad:  "---\nweb: *defaults\n", Good: "---\nbase: &defaults {replicas: 1}\nweb: *defaults\n",
		Options: []Option{
			{Name: "forbid-undeclared-aliases", What: "whether an alias needs an anchor before it in the document", Default: true, Type: Type{Bool: true}},
			{Name: "forbid-duplicated-anchors", What: "whether an anchor may be declared once only", Default: false, Type: Type{Bool: true}},
			{Name: "forbid-unused-anchors", What: "whether an anchor needs an alias", Default: false, Type: Type{Bool: true}},
		},
		check: checkAnchors,
	}
}

// anchorUse is an anchor of the document at hand.
type anchorUse struct {
	name string
	mark Mark
	used bool
}

func checkAnchors(o options, text []byte, r *reporter) checks {
	undeclared, duplicated, unused := o.bool("forbid-undeclared-aliases"), o.bool("forbid-duplicated-anchors"), o.bool("forbid-unused-anchors")
	byName := map[string]int{} // index of the anchor of that name in all
	var all []anchorUse
	return checks{kinds: []Kind{Alias, Anchor, DocumentStart, DocumentEnd, StreamEnd}, token: func(w *window) {
		switch t := w.cur; t.Kind {
		case Alias:
			name := string(text[t.Start.Offset+1 : t.End.Offset])
			if i, ok := byName[name]; ok {
				all[i].used = true
			} else if undeclared {
				r.at(t.Start, `found undeclared alias "`+name+`"`)
			}
		case Anchor:
			name := string(text[t.Start.Offset+1 : t.End.Offset])
			i, ok := byName[name]
			if ok && duplicated {
				r.at(t.Start, `found duplicated anchor "`+name+`"`)
			}
			if !ok {
				i = len(all)
				byName[name] = i
				all = append(all, anchorUse{})
			}
			all[i] = anchorUse{name: name, mark: t.Start}
		case DocumentStart, DocumentEnd, StreamEnd:
			for i := range all {
				if unused && !all[i].used {
					r.at(all[i].mark, `found unused anchor "`+all[i].name+`"`)
				}
			}
			clear(byName)
			all = all[:0]
		}
	}}
}
