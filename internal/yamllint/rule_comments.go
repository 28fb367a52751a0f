package yamllint

func commentsRule() *Rule {
	return &Rule{
		Name: "comments",
		What: "Checks the space inside and before comments.",
		Why:  "A space after the # makes a comment readable, and space before it sets it off from the content.",
		Bad:  "---\nreplicas: 2 #two\n", Good: "---\nreplicas: 2  # two\n",
		Options: []Option{
			{Name: "require-starting-space", What: "whether a space must follow the #", Default: true, Type: Type{Bool: true}},
			{Name: "ignore-shebangs", What: "whether a #! at the very start of a file is let pass", Default: true, Type: Type{Bool: true}},
			{Name: "min-spaces-from-content", What: "how many spaces must be between content and a comment on the same line", Default: 2, Type: Type{Int: true}},
		},
		check: checkComments,
	}
}

func checkComments(o options, text []byte, r *reporter) checks {
	space, shebangs, gap := o.bool("require-starting-space"), o.bool("ignore-shebangs"), o.int("min-spaces-from-content")
	return checks{comment: func(c *comment) {
		if gap != -1 && c.start-c.before.End.Offset < gap && c.inline(text) {
			r.report(c.line, c.column, "too few spaces before comment")
		}
		if !space {
			return
		}
		i := c.start
		for i < len(text) && text[i] == '#' {
			i++
		}
		if i == len(text) {
			return
		}
		if shebangs && c.line == 1 && c.column == 1 && text[i] == '!' {
			return
		}
		switch text[i] {
		case ' ', '\n', '\r':
		default:
			r.report(c.line, c.column+i-c.start, "missing starting space in comment")
		}
	}}
}
