package yamllint

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

func lineLengthRule() *Rule {
	return &Rule{
		Name: "line-length",
		What: "Limits the length of lines, in characters.",
		Why:  "Long lines are hard to read and to review side by side.",
		Bad:  "---\ndescription: this one sentence goes on and on, well past the eightieth column, where few will see it\n",
		Good: "---\ndescription: >-\n  this one sentence goes on and on,\n  but over several lines\n",
		Options: []Option{
			{Name: "max", What: "how many characters a line may have", Default: 80, Type: Type{Int: true}},
			{
				Name: "allow-non-breakable-words", What: "whether a line may be longer that is one word, such as a URL, after a \"- \" or \"# \"",
				Default: true, Type: Type{Bool: true},
			},
			{
				Name: "allow-non-breakable-inline-mappings", What: "whether a line may be longer that is a key and one such word",
				Default: false, Type: Type{Bool: true},
			},
		},
		check: checkLineLength,
	}
}

func checkLineLength(o options, text []byte, r *reporter) checks {
	limit, pairs := o.int("max"), o.bool("allow-non-breakable-inline-mappings")
	words := pairs || o.bool("allow-non-breakable-words")
	return checks{line: func(l *textLine) {
		if l.end-l.start <= limit {
			return
		}
		content := text[l.start:l.end]
		n := runeLen(content)
		if n <= limit || words && unbreakable(content) || pairs && unbreakablePair(content) {
			return
		}
		r.report(l.no, limit+1, fmt.Sprintf("line too long (%d > %d characters)", n, limit))
	}}
}

// unbreakable tells whether a line has no space at which it could be broken.
func unbreakable(line []byte) bool {
	word := bytes.TrimLeft(line, " ")
	if len(word) == 0 {
		return false
	}
	switch word[0] {
	case '#':
		word = bytes.TrimLeft(word, "#")
		word = word[min(1, len(word)):]
	case '-':
		word = word[min(2, len(word)):]
	}
	return bytes.IndexByte(word, ' ') < 0
}

// unbreakablePair tells whether a line is the key and the value of a block mapping, and the value has no space.
func unbreakablePair(line []byte) bool {
	s := newScanner(line)
	var t Token
	for s.next(&t) {
		if t.Kind == BlockMappingStart {
			break
		}
	}
	for s.next(&t) {
		if t.Kind == Value && s.next(&t) && t.Kind == Scalar {
			return bytes.IndexByte(skipRunes(line, t.Start.Column), ' ') < 0
		}
	}
	return false
}

// skipRunes returns what comes after the first n characters.
func skipRunes(b []byte, n int) []byte {
	for ; n > 0 && len(b) > 0; n-- {
		_, size := utf8.DecodeRune(b)
		b = b[size:]
	}
	return b
}
