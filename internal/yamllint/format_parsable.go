package yamllint

import (
	"fmt"
	"io"
)

// parsableFormat writes a line a problem, for programs to read.
type parsableFormat struct{ w io.Writer }

func (f parsableFormat) File(path string, problems []Problem) {
	for _, p := range problems {
		fmt.Fprintln(f.w, p.Parsable(path))
	}
}

func (f parsableFormat) Close() {}
