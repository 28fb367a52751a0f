package yamllint

import (
	"fmt"
	"io"
)

// Where the columns of the standard format start.
const (
	levelColumn   = 12
	messageColumn = 21
)

// standardFormat writes a paragraph a file, for people to read.
type standardFormat struct{ w io.Writer }

func (f standardFormat) File(path string, problems []Problem) {
	if len(problems) == 0 {
		return
	}
	fmt.Fprintln(f.w, path)
	for _, p := range problems {
		line := fmt.Sprintf("  %d:%d", p.Line, p.Column)
		line += spaces(len(line), levelColumn) + p.Level.String()
		line += spaces(len(line), messageColumn)
		gap := "  "
		if p.Rule == SyntaxRule {
			gap = " "
		}
		fmt.Fprintf(f.w, "%s%s%s(%s)\n", line, p.Message, gap, p.Rule)
	}
	fmt.Fprintln(f.w)
}

func (f standardFormat) Close() {}
