package yamllint

func bracketsRule() *Rule {
	return &Rule{
		Name: "brackets",
		What: "Limits the spaces inside the brackets of a flow sequence, or forbids flow sequences.",
		Why:  "One way to write them is easier to read; long ones are better written as blocks.",
		Bad:  "---\nargs: [ run, web ]\n", Good: "---\nargs: [run, web]\n",
		Options: bracketOptions("brackets", "flow sequences"),
		check: func(o options, text []byte, r *reporter) checks {
			return checkBrackets(o, text, r, FlowSequenceStart, FlowSequenceEnd, "brackets", "forbidden flow sequence")
		},
	}
}
