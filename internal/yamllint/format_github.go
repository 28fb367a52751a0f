package yamllint

import (
	"fmt"
	"io"
)

// githubFormat writes what GitHub Actions show as annotations.
type githubFormat struct{ w io.Writer }

func (f githubFormat) File(path string, problems []Problem) {
	if len(problems) == 0 {
		return
	}
	fmt.Fprintf(f.w, "::group::%s\n", path)
	for _, p := range problems {
		fmt.Fprintf(f.w, "::%s file=%s,line=%d,col=%d::%d:%d ", p.Level, path, p.Line, p.Column, p.Line, p.Column)
		if p.Rule == SyntaxRule {
			fmt.Fprintf(f.w, "%s (%s)\n", p.Message, p.Rule)
			continue
		}
		fmt.Fprintf(f.w, "[%s] %s\n", p.Rule, p.Message)
	}
	fmt.Fprint(f.w, "::endgroup::\n\n")
}

func (f githubFormat) Close() {}
