package yamllint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"unicode/utf16"
)

// maxFixRounds bounds how often a text is gone over. Each round may make room for the next: lists nested in one another move
// one level a round.
const maxFixRounds = 32

// Why a text is left as it is, besides a *SyntaxError.
var (
	ErrMeaning = errors.New("repairing it would change what it means")
	ErrUnrest  = errors.New("repairing it does not come to an end")
)

// Fix repairs what the problems of a text are that can be repaired without changing its meaning: spaces at the end of lines,
// line breaks, empty lines, spaces beside braces, brackets, colons, commas, hyphens and comments, the markers of documents. Only
// the problems that Lint finds are repaired, so configuration and directives count. Fixing twice changes nothing.
//
// A text with a syntax error, or one that would then be read as something else, is returned as it is, with an error.
func Fix(data []byte, path string, cfg *Config) (fixed []byte, err error) {
	text, bad := decode(data)
	if bad != nil {
		return data, bad
	}
	repaired, err := settle(text, path, cfg.onlyFixable())
	if err != nil || bytes.Equal(repaired, text) {
		return data, err
	}
	out := encodeAs(repaired, data)
	if again, bad := decode(out); bad != nil || !bytes.Equal(again, repaired) || !sameDocuments(text, repaired) || !sameToHelm(data, out) {
		return data, ErrMeaning
	}
	return out, nil
}

// settle repairs a text until nothing is left to repair.
func settle(text []byte, path string, cfg *Config) ([]byte, error) {
	for round := range maxFixRounds {
		next, bad := repair(text, path, cfg)
		switch {
		case bad != nil && round == 0:
			return nil, bad
		case bad != nil:
			return nil, ErrMeaning
		case bytes.Equal(next, text):
			return text, nil
		}
		text = next
	}
	return nil, ErrUnrest
}

// onlyFixable returns the configuration without the rules whose problems cannot be repaired.
func (c *Config) onlyFixable() *Config {
	d := c.clone()
	d.rules = slices.DeleteFunc(d.rules, func(rc ruleConfig) bool { return fixes(rc.rule.Name) == nil })
	return d
}

// fixes returns what repairs a rule's problems, nil where nothing does.
func fixes(rule string) func(f *fixer, o options) checks {
	switch rule {
	case "braces":
		return func(f *fixer, o options) checks { return fixBrackets(f, o, "braces", FlowMappingStart, FlowMappingEnd) }
	case "brackets":
		return func(f *fixer, o options) checks {
			return fixBrackets(f, o, "brackets", FlowSequenceStart, FlowSequenceEnd)
		}
	case "colons":
		return fixColons
	case "commas":
		return fixCommas
	case "comments":
		return fixComments
	case "document-end":
		return fixDocumentEnd
	case "document-start":
		return fixDocumentStart
	case "empty-lines":
		return fixEmptyLines
	case "hyphens":
		return fixHyphens
	case "new-line-at-end-of-file":
		return fixNewLineAtEndOfFile
	case "new-lines":
		return fixNewLines
	case "trailing-spaces":
		return fixTrailingSpaces
	}
	return nil
}

// encodeAs returns the text in the encoding of the data, with the byte order mark that is there.
func encodeAs(text, data []byte) []byte {
	mark, size, order := encodingOf(data)
	out := slices.Clone(data[:mark])
	if size == 1 {
		return append(out, text...)
	}
	appender, _ := order.(binary.AppendByteOrder)
	for _, r := range string(text) {
		if size == 4 {
			out = appender.AppendUint32(out, uint32(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = appender.AppendUint16(out, unit)
		}
	}
	return out
}
