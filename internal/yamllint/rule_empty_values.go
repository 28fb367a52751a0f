package yamllint

func emptyValuesRule() *Rule {
	return &Rule{
		Name: "empty-values",
		What: "Forbids values that are left out, which stand for null.",
		Why:  "A missing value is often a mistake of indentation, and null deletes a chart's default.",
		Bad:  "---\nresources:\nlimits: {}\n", Good: "---\nresources:\n  limits: {}\n",
		Options: []Option{
			{Name: "forbid-in-block-mappings", What: "whether they are forbidden in block mappings", Default: true, Type: Type{Bool: true}},
			{Name: "forbid-in-flow-mappings", What: "whether they are forbidden in flow mappings", Default: true, Type: Type{Bool: true}},
			{Name: "forbid-in-block-sequences", What: "whether they are forbidden in block sequences", Default: true, Type: Type{Bool: true}},
		},
		check: checkEmptyValues,
	}
}

func checkEmptyValues(o options, _ []byte, r *reporter) checks {
	block, flow, sequence := o.bool("forbid-in-block-mappings"), o.bool("forbid-in-flow-mappings"), o.bool("forbid-in-block-sequences")
	return checks{kinds: []Kind{Value, BlockEntry}, token: func(w *window) {
		if w.next == nil || w.cur.Kind != Value && w.cur.Kind != BlockEntry {
			return
		}
		t, next := w.cur, w.next.Kind
		switch {
		case t.Kind == Value && block && (next == Key || next == BlockEnd):
			r.at(t.End, "empty value in block mapping")
		case t.Kind == Value && flow && (next == FlowEntry || next == FlowMappingEnd):
			r.at(t.End, "empty value in flow mapping")
		case t.Kind == BlockEntry && sequence && (next == Key || next == BlockEnd || next == BlockEntry):
			r.at(t.End, "empty value in block sequence")
		}
	}}
}
