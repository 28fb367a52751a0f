package engine

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// names are what the sources of a render are called in it, by number. Those that are not in it
// are called what they say.
type names map[uint32]string

// nameless is the name that a source is parsed under which has several. No file has it.
func nameless(number uint32) string { return fmt.Sprintf("\x00%d\x00", number) }

// nthCopy stands for the name of the n-th file with a text.
func nthCopy(n int) string { return fmt.Sprintf("\x00copy %d", n) }

var namelessWord = regexp.MustCompile("\x00([0-9]+)\x00")

// of is what a source is called.
func (n names) of(src *source) string {
	if name, ok := n[src.number]; ok {
		return name
	}
	return src.name
}

// in puts the names into a text of text/template's.
func (n names) in(text string) string {
	if !strings.Contains(text, "\x00") {
		return text
	}
	return namelessWord.ReplaceAllStringFunc(text, func(word string) string {
		number, err := strconv.ParseUint(strings.Trim(word, "\x00"), 10, 32)
		if name, ok := n[uint32(number)]; err == nil && ok {
			return name
		}
		return word
	})
}
