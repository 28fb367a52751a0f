package yamllint

import (
	"fmt"
	"io"
	"strings"
)

// Format writes problems, file after file.
type Format interface {
	// File writes the problems of one file; it is called for files without problems, too.
	File(path string, problems []Problem)
	// Close writes what comes after the last file. What went wrong in writing is the writer's to tell.
	Close()
}

// Formats lists the names of the formats.
func Formats() []string {
	return []string{"parsable", "standard", "colored", "github", "auto", "json", "codequality"}
}

// FormatOptions is what the format "auto" decides by.
type FormatOptions struct {
	Terminal bool                    // whether the output is one
	Getenv   func(key string) string // nil for no environment
}

// NewFormat returns the format of a name, which writes to w.
func NewFormat(name string, w io.Writer, o FormatOptions) (Format, error) {
	switch name {
	case "parsable":
		return parsableFormat{w}, nil
	case "standard":
		return standardFormat{w}, nil
	case "colored":
		return coloredFormat{w}, nil
	case "github":
		return githubFormat{w}, nil
	case "json":
		return &jsonFormat{w: w}, nil
	case "codequality":
		return &codeQualityFormat{w: w, seen: map[string]int{}}, nil
	case "auto":
		return NewFormat(o.choose(), w, o)
	}
	return nil, fmt.Errorf("unknown format %q: use one of %s", name, strings.Join(Formats(), ", "))
}

func (o FormatOptions) choose() string {
	switch {
	case o.Getenv != nil && o.Getenv("GITHUB_ACTIONS") != "" && o.Getenv("GITHUB_WORKFLOW") != "":
		return "github"
	case o.Terminal:
		return "colored"
	}
	return "standard"
}

// spaces pads what is n characters wide to a width.
func spaces(n, width int) string { return strings.Repeat(" ", max(width-n, 0)) }
