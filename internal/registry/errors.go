package registry

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

var (
	// ErrNotFound: the registry was asked and has no such repository, manifest,
	// index or archive.
	ErrNotFound = errors.New("not found")
	// ErrDenied: the registry wants other credentials than it was given (401, 403).
	ErrDenied = errors.New("access denied")
	// ErrTooLarge: an answer is larger than its limit.
	ErrTooLarge = errors.New("too large")
	// ErrCorrupt: an answer is not what its digest or its form says.
	ErrCorrupt = errors.New("corrupt content")
	// ErrNotChart: the reference exists but is no Helm chart.
	ErrNotChart = errors.New("not a Helm chart")
)

// Error says which operation on which host failed, and what was tried. It
// contains no credentials and no query strings. errors.Is finds the sentinels of
// this package and the errors of context.
type Error struct {
	Op      string   // "pulling", "pushing", "resolving", "listing the tags of", "reading the index of", "fetching"
	Host    string   // host:port that was asked
	Ref     string   // what the operation was on: an oci:// reference or a URL
	Status  int      // the last HTTP status, 0 if there was no answer
	Code    string   // the registry's own code of the error, such as "DENIED"; "" if it gave none
	Message string   // the registry's own words, shortened, control characters removed
	Tried   []string // every request that did not succeed, in order, with its outcome
	Hint    string   // what the reader can do about it, a sentence; "" if there is nothing to say
	Err     error    // the cause
}

// Error is one line: the operation, its object, the cause and what was tried. The
// hint is not part of it.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q: %s", e.Op, e.Ref, e.cause())
	switch len(e.Tried) {
	case 0:
	case 1: // its outcome is the cause
		request, outcome, _ := strings.Cut(e.Tried[0], ": ")
		if i := strings.LastIndex(outcome, " ("); i >= 0 && strings.HasSuffix(outcome, " times)") {
			request += outcome[i:]
		}
		fmt.Fprintf(&b, " (tried %s)", request)
	default:
		fmt.Fprintf(&b, " (tried %s)", strings.Join(e.Tried, "; "))
	}
	return b.String()
}

func (e *Error) cause() string {
	if e.Status == 0 || e.Status < 300 {
		return fmt.Sprintf("%s: %v", e.Host, e.Err)
	}
	s := fmt.Sprintf("%s answered %s", e.Host, statusLine(e.Status))
	if e.Code != "" {
		s += ": " + e.Code
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// HintOf is the hint of the first Error in err's chain, "" if there is none.
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

func statusLine(code int) string {
	if text := http.StatusText(code); text != "" {
		return fmt.Sprintf("%d %s", code, text)
	}
	return fmt.Sprint(code)
}

// maxForeign is how many bytes of a server's own words are repeated.
const maxForeign = 300

// foreign makes text from outside fit for a line on a terminal.
func foreign(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < 0x20 || (r >= 0x7f && r < 0xa0) || r == 0xfffd || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069):
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if len(s) > maxForeign {
		s = strings.ToValidUTF8(s[:maxForeign], "") + "…"
	}
	return s
}
