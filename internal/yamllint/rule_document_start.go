package yamllint

func documentStartRule() *Rule {
	return &Rule{
		Name: "document-start",
		What: "Asks for the marker --- at the start of every document, or forbids it.",
		Why:  "With the marker, files can be joined to one stream and a reader sees that a document starts; without it, small files stay small. A code base does best with one of the two.",
		Bad:  "name: web\n", Good: "---\nname: web\n",
		Options: []Option{
			{Name: "present", What: "true asks for the marker, false forbids it", Default: true, Type: Type{Bool: true}},
		},
		check: func(o options, _ []byte, r *reporter) checks {
			if !o.bool("present") {
				return checks{token: func(w *window) {
					if w.cur.Kind == DocumentStart {
						r.at(w.cur.Start, `found forbidden document start "---"`)
					}
				}}
			}
			return checks{token: func(w *window) {
				if w.prev == nil {
					return
				}
				switch w.prev.Kind {
				case StreamStart, DocumentEnd, Directive:
				default:
					return
				}
				switch w.cur.Kind {
				case DocumentStart, Directive, StreamEnd:
				default:
					r.report(w.cur.Start.Line+1, 1, `missing document start "---"`)
				}
			}}
		},
	}
}
