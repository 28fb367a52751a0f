package yamllint

import "github.com/chartgate/chartgate/internal/suggest"

// suggestion returns a hint at the known word that is nearest to what was written; "" where none is near.
func suggestion(word string, known []string) string {
	best := suggest.Nearest(word, known, 2)
	if best == "" {
		return ""
	}
	return `; did you mean "` + best + `"?`
}
