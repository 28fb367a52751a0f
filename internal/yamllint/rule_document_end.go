package yamllint

func documentEndRule() *Rule {
	return &Rule{
		Name: "document-end",
		What: "Asks for the marker ... at the end of every document, or forbids it.",
		Why:  "The marker tells a reader of a stream that a document is complete before the next one starts; in files it has little use. A code base does best with one of the two.",
		Bad:  "---\nname: web\n", Good: "---\nname: web\n...\n",
		Options: []Option{
			{Name: "present", What: "true asks for the marker, false forbids it", Default: true, Type: Type{Bool: true}},
		},
		check: func(o options, _ []byte, r *reporter) checks {
			if !o.bool("present") {
				return checks{token: func(w *window) {
					if w.cur.Kind == DocumentEnd {
						r.at(w.cur.Start, `found forbidden document end "..."`)
					}
				}}
			}
			return checks{token: func(w *window) {
				if w.prev == nil || w.prev.Kind == StreamStart || w.prev.Kind == DocumentEnd {
					return
				}
				switch {
				case w.cur.Kind == StreamEnd: // the text's last line, rather than the empty one after its line break
					r.report(w.cur.Start.Line, 1, `missing document end "..."`)
				case w.cur.Kind == DocumentStart && w.prev.Kind != Directive:
					r.report(w.cur.Start.Line+1, 1, `missing document end "..."`)
				}
			}}
		},
	}
}
