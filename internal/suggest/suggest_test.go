package suggest

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"charts", "checks", "exclude"}
	for _, c := range []struct {
		word string
		max  int
		want string
	}{
		{"chart", 2, "charts"},
		{"CHECKS", 2, "checks"},
		{"chacks", 2, "checks"},
		{"nothing", 2, ""},
		{"exclude", 0, "exclude"},
		{"", 2, ""},
		{strings.Repeat("x", 1<<20), 1 << 20, ""},
	} {
		if got := Nearest(c.word, known, c.max); got != c.want {
			t.Errorf("Nearest(%.20q, %d) = %q, want %q", c.word, c.max, got, c.want)
		}
	}
}
