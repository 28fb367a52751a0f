package yamllint

import "fmt"

// Level is how grave a problem is.
type Level uint8

// The levels.
const (
	Error Level = iota
	Warning
)

func (l Level) String() string {
	if l == Warning {
		return "warning"
	}
	return "error"
}

// SyntaxRule is the Rule of problems that make a text not YAML. It is always on.
const SyntaxRule = "syntax"

// Problem is one thing wrong with a text.
type Problem struct {
	Line    int // from 1
	Column  int // in characters, from 1
	Rule    string
	Level   Level
	Message string
}

// Parsable writes the problem as "yamllint -f parsable" does.
func (p Problem) Parsable(path string) string {
	return fmt.Sprintf("%s:%d:%d: [%s] %s (%s)", path, p.Line, p.Column, p.Level, p.Message, p.Rule)
}
