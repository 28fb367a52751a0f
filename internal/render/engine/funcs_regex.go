package engine

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"text/template"
	"time"
)

// regexFuncs are Sprig's, with patterns compiled once a render and the work
// that they do bounded: Go's regular expressions take time in proportion to
// pattern times text for one match, and to the square of the text for all.
func (r *run) regexFuncs() template.FuncMap {
	return template.FuncMap{
		"regexMatch": func(re, s string) (bool, error) {
			p, err := r.compileRegexp(re, s)
			if err != nil {
				return false, r.stopped
			}
			return p.MatchString(s), nil
		},
		"mustRegexMatch": func(re, s string) (bool, error) {
			p, err := r.compileRegexp(re, s)
			return err == nil && p.MatchString(s), err
		},
		"regexFind":                  must(r, r.find),
		"mustRegexFind":              r.find,
		"regexFindAll":               must3(r, r.findAll),
		"mustRegexFindAll":           r.findAll,
		"regexSplit":                 must3(r, r.regexSplit),
		"mustRegexSplit":             r.regexSplit,
		"regexReplaceAll":            must3(r, r.replaceAll),
		"mustRegexReplaceAll":        r.replaceAll,
		"regexReplaceAllLiteral":     must3(r, r.replaceAllLiteral),
		"mustRegexReplaceAllLiteral": r.replaceAllLiteral,
		"regexQuoteMeta": func(s string) (string, error) {
			return r.str(regexp.QuoteMeta(s))
		},
	}
}

// must makes the variant of a function that panics where its pattern is none,
// in the words of regexp.MustCompile.
func must[A, T any](r *run, f func(string, A) (T, error)) func(string, A) (T, error) {
	return func(re string, a A) (T, error) {
		out, err := f(re, a)
		if err != nil && r.stopped == nil {
			regexp.MustCompile(re)
		}
		return out, err
	}
}

func must3[A, T any](r *run, f func(string, string, A) (T, error)) func(string, string, A) (T, error) {
	return func(re, s string, a A) (T, error) {
		out, err := f(re, s, a)
		if err != nil && r.stopped == nil {
			regexp.MustCompile(re)
		}
		return out, err
	}
}

// pattern is a compiled regular expression and what a step of it costs.
type pattern struct {
	*regexp.Regexp
	size int // instructions; 0 when not yet counted
}

const (
	maxPattern    = 16 << 10    // bytes of a regular expression
	maxRegexpWork = 500_000_000 // instructions times bytes of text
	maxRegexps    = 1000        // compiled ones kept in a render
	maxMatching   = 2 * time.Second
)

// compileRegexp compiles a pattern that is to be matched against s.
func (r *run) compileRegexp(re, s string) (*pattern, error) {
	if err := r.take(len(s) >> 4); err != nil {
		return nil, err
	}
	p := r.regexps[re]
	if p == nil {
		if len(re) > maxPattern {
			return nil, r.exceeded("the length of a regular expression", size(maxPattern))
		}
		compiled, err := regexp.Compile(re)
		if err != nil {
			return nil, err
		}
		p = &pattern{Regexp: compiled}
		if len(r.regexps) < maxRegexps {
			r.regexps[re] = p
		}
	}
	if len(s) < 1000 && !strings.Contains(re, "{") {
		return p, nil
	}
	if p.size == 0 {
		p.size = instructions(re)
	}
	if product(p.size, len(s)) > maxRegexpWork {
		return nil, r.exceeded("the work of a regular expression on a long text", count(maxRegexpWork)+" instructions times bytes")
	}
	return p, nil
}

func instructions(re string) int {
	tree, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return 1
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return 1
	}
	return len(prog.Inst)
}

func (r *run) find(re, s string) (string, error) {
	p, err := r.compileRegexp(re, s)
	if err != nil {
		return "", err
	}
	return r.str(p.FindString(s))
}

func (r *run) findAll(re, s string, n int) ([]string, error) {
	p, err := r.compileRegexp(re, s)
	if err == nil {
		_, err = r.matches(p, s, n)
	}
	if err != nil {
		return []string{}, err
	}
	return p.FindAllString(s, n), nil
}

func (r *run) regexSplit(re, s string, n int) ([]string, error) {
	p, err := r.compileRegexp(re, s)
	if err == nil {
		_, err = r.matches(p, s, n)
	}
	if err != nil {
		return []string{}, err
	}
	return p.Split(s, n), nil
}

func (r *run) replaceAll(re, s, by string) (string, error) {
	return r.replaceMatches(re, s, by, strings.Count(by, "$"), (*regexp.Regexp).ReplaceAllString)
}

func (r *run) replaceAllLiteral(re, s, by string) (string, error) {
	return r.replaceMatches(re, s, by, 0, (*regexp.Regexp).ReplaceAllLiteralString)
}

func (r *run) replaceMatches(re, s, by string, groups int, f func(*regexp.Regexp, string, string) string) (string, error) {
	p, err := r.compileRegexp(re, s)
	if err != nil {
		return "", err
	}
	n, err := r.matches(p, s, -1)
	if err != nil {
		return "", err
	}
	if err := r.room(len(s) + product(n, len(by)) + product(groups, len(s))); err != nil {
		return "", err
	}
	return r.str(f(p.Regexp, s, by))
}

// quickText is the length up to which all matches are found in no time,
// whatever the pattern.
const quickText = 512

// matches counts the matches in s and the room that they take. Where finding
// them all could take long, it finds them one after the other first, with an
// eye on the clock.
func (r *run) matches(p *pattern, s string, most int) (int, error) {
	if len(s) <= quickText {
		return len(s) + 1, r.items(min(len(s)+1, 64))
	}
	n, start := 0, time.Now()
	var stopped error
	func() {
		defer func() {
			if e := recover(); e != nil && stopped == nil {
				panic(e)
			}
		}()
		p.ReplaceAllStringFunc(s, func(string) string {
			n++
			if stopped = r.check(); stopped == nil && time.Since(start) > maxMatching {
				stopped = r.exceeded("the time of one regular expression", maxMatching.String())
			}
			if n > r.lim.Items {
				stopped = r.items(n)
			}
			if stopped != nil {
				panic(stopped)
			}
			return ""
		})
	}()
	if stopped != nil {
		return n, stopped
	}
	if most >= 0 {
		n = min(n, most)
	}
	return n, r.items(n)
}
