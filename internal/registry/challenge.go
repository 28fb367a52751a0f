package registry

import (
	"errors"
	"strings"
)

// maxChallenge bounds what is parsed of the WWW-Authenticate headers of an answer.
const maxChallenge = 16 << 10

// challenge is one way in which a server wants to be convinced.
type challenge struct {
	scheme string            // lower case
	params map[string]string // keys in lower case; the first of two equal keys counts
}

// parseChallenges reads WWW-Authenticate headers: one header may hold several
// challenges, and commas separate both challenges and their parameters.
func parseChallenges(headers []string) ([]challenge, error) {
	var all []challenge
	for _, h := range headers {
		if len(h) > maxChallenge {
			return nil, errors.New("the server's WWW-Authenticate header is too long")
		}
		found, err := parseChallengeHeader(h)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func parseChallengeHeader(h string) ([]challenge, error) {
	var all []challenge
	l := &lexer{rest: h}
	for {
		l.skip(" \t,")
		if l.rest == "" {
			return all, nil
		}
		word := l.token()
		if word == "" {
			return nil, errors.New("the server's WWW-Authenticate header cannot be read")
		}
		l.skip(" \t")
		if !l.accept('=') {
			all = append(all, challenge{scheme: strings.ToLower(word), params: map[string]string{}})
			l.token68()
			continue
		}
		if len(all) == 0 {
			return nil, errors.New("the server's WWW-Authenticate header begins with a parameter")
		}
		l.skip(" \t")
		value, ok := l.value()
		if !ok {
			return nil, errors.New("the server's WWW-Authenticate header ends inside a value")
		}
		params, key := all[len(all)-1].params, strings.ToLower(word)
		if _, seen := params[key]; !seen {
			params[key] = value
		}
	}
}

// pick chooses the challenge that we can answer, bearer before basic.
func pick(all []challenge) (challenge, bool) {
	for _, scheme := range []string{"bearer", "basic"} {
		for _, c := range all {
			if c.scheme == scheme {
				return c, true
			}
		}
	}
	return challenge{}, false
}

type lexer struct{ rest string }

func (l *lexer) skip(cutset string) { l.rest = strings.TrimLeft(l.rest, cutset) }

func (l *lexer) accept(c byte) bool {
	if l.rest == "" || l.rest[0] != c {
		return false
	}
	l.rest = l.rest[1:]
	return true
}

// token reads a run of the characters that HTTP allows in a token.
func (l *lexer) token() string {
	n := strings.IndexFunc(l.rest, func(r rune) bool { return !tokenRune(r) })
	if n < 0 {
		n = len(l.rest)
	}
	word := l.rest[:n]
	l.rest = l.rest[n:]
	return word
}

func tokenRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// token68 passes over the opaque text that some schemes put behind their name.
func (l *lexer) token68() {
	end := strings.IndexAny(l.rest, ", \t")
	if end < 0 {
		end = len(l.rest)
	}
	text := l.rest[:end]
	if body := strings.TrimRight(text, "="); body != text && strings.Trim(body, "/") != "" && !strings.ContainsAny(body, `="`) {
		l.rest = l.rest[end:]
	}
}

// value reads a token or a quoted string.
func (l *lexer) value() (string, bool) {
	if !l.accept('"') {
		v := l.token()
		return v, v != ""
	}
	var b strings.Builder
	for i := 0; i < len(l.rest); i++ {
		switch c := l.rest[i]; {
		case c == '"':
			l.rest = l.rest[i+1:]
			return b.String(), true
		case c == '\\' && i+1 < len(l.rest):
			i++
			b.WriteByte(l.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
