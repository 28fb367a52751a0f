package yamllint

import "runtime"

func newLinesRule() *Rule {
	return &Rule{
		Name: "new-lines",
		What: "Asks for one kind of line break, which a file's first line shows.",
		Why:  "Mixed line breaks show up in diffs and end up in values.",
		Bad:  "---\r\nname: web\r\n", Good: "---\nname: web\n",
		Options: []Option{
			{
				Name: "type", What: "unix for \\n, dos for \\r\\n, platform for that of the system which runs the program",
				Default: "unix", Type: Type{Enum: []string{"unix", "dos", "platform"}},
			},
		},
		check: func(o options, text []byte, r *reporter) checks {
			dos := o.string("type") == "dos" || o.string("type") == "platform" && runtime.GOOS == "windows"
			message := `wrong new line character: expected \n`
			if dos {
				message = `wrong new line character: expected \r\n`
			}
			return checks{line: func(l *textLine) {
				if l.start == 0 && l.end < len(text) && dos != (text[l.end] == '\r') {
					r.report(1, runeLen(text[:l.end])+1, message)
				}
			}}
		},
	}
}
