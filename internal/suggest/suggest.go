// Package suggest finds the word that somebody may have meant.
package suggest

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// maxWord is the length in bytes up to which words are compared: longer ones are
// no typing errors, and comparing them costs their length squared.
const maxWord = 64

// Nearest returns the known word with the least edit distance to word, letter
// case left out, the first of several; "" where none is at most max edits away.
func Nearest(word string, known []string, max int) string {
	if len(word) > maxWord {
		return ""
	}
	best, word := "", strings.ToLower(word)
	for _, k := range known {
		if len(k) > maxWord {
			continue
		}
		if d := levenshtein.ComputeDistance(word, strings.ToLower(k)); d <= max {
			best, max = k, d-1
		}
	}
	return best
}
