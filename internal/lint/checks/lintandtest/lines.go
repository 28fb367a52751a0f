package lintandtest

import (
	"fmt"
	"strings"

	"github.com/chartgate/chartgate/internal/finding"
	"github.com/chartgate/chartgate/internal/source"
)

// firstLine is the first line of the text that is not blank, with its number.
func firstLine(text string) (line string, n int) {
	for n, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) != "" {
			return line, n + 1
		}
	}
	return "", 1
}

// documentLine is the line of the text on which document i (from 0) begins, as
// Kubernetes' decoder splits it.
func documentLine(text string, i int) int {
	starts := documentStarts(text)
	return starts[min(i, len(starts)-1)]
}

// documentStarts follows k8s.io/apimachinery/pkg/util/yaml.YAMLReader: a line of "---" ends a document
// that has lines, blank ones included, and is otherwise its first line.
func documentStarts(text string) []int {
	var starts []int
	begin, open := 1, false
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		rest, separator := strings.CutPrefix(line, "---")
		rest = strings.TrimSpace(rest)
		switch {
		case separator && open && (rest == "" || rest[0] == '#'):
			starts, open = append(starts, begin), false
		case !open:
			begin, open = n+1, true
		}
	}
	if open || len(starts) == 0 {
		starts = append(starts, begin)
	}
	return starts
}

// parseFault is the finding for text that is not YAML: the error's own line
// counts from the start of the document.
func parseFault(text string, doc int, err error) finding.Finding {
	f := finding.Finding{Rule: "manifest-yaml", Severity: finding.Error, Message: fmt.Sprintf("unable to parse YAML: %v", err)}
	f.Line = documentLine(text, doc)
	if pos := source.ErrorPos(err); pos.Line > 0 {
		f.Line += pos.Line - 1
	}
	return f
}
