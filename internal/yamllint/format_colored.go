package yamllint

import (
	"fmt"
	"io"
)

// coloredFormat is the standard format in colours.
type coloredFormat struct{ w io.Writer }

func (f coloredFormat) File(path string, problems []Problem) {
	if len(problems) == 0 {
		return
	}
	fmt.Fprintf(f.w, "\x1b[4m%s\x1b[0m\n", path)
	for _, p := range problems {
		place := fmt.Sprintf("%d:%d", p.Line, p.Column)
		colour := "\x1b[31m"
		if p.Level == Warning {
			colour = "\x1b[33m"
		}
		before := spaces(2+len(place), levelColumn)
		after := spaces(2+len(place)+len(before)+len(p.Level.String()), messageColumn)
		rule := "  \x1b[2m(" + p.Rule + ")\x1b[0m"
		if p.Rule == SyntaxRule {
			rule = " (" + p.Rule + ")"
		}
		fmt.Fprintf(f.w, "  \x1b[2m%s\x1b[0m%s%s%s\x1b[0m%s%s%s\n", place, before, colour, p.Level, after, p.Message, rule)
	}
	fmt.Fprintln(f.w)
}

func (f coloredFormat) Close() {}
