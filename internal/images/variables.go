package images

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// expander replaces the variables of one definition, and keeps the first error.
type expander struct {
	vars   map[string]string
	lookup func(string) (string, bool)
	lex    *shell.Lex
	err    error
}

func (s Setting) expander(d *Definition) *expander {
	x := &expander{vars: s.Facts.variables(), lookup: s.Lookup, lex: shell.NewLex('\\')}
	x.lex.SkipProcessQuotes = true
	if repo := cmp.Or(s.Build.Repository, s.Env("CI_REGISTRY_IMAGE")); repo != "" {
		x.vars["IMAGE"] = strings.TrimSuffix(strings.TrimPrefix(repo, "oci://"), "/") + "/" + d.Name
	} else {
		x.vars["IMAGE"] = ""
	}
	return x
}

// Get is the value of a variable: ours before the environment's. It makes the expander a shell.EnvGetter.
func (x *expander) Get(name string) (string, bool) {
	if v, ours := x.vars[name]; ours {
		return v, v != ""
	}
	return x.lookup(name)
}

// Keys lists our variables.
func (x *expander) Keys() []string { return slices.Sorted(maps.Keys(x.vars)) }

// one replaces the variables of one text; missing names those that have no value.
func (x *expander) one(key, text string) (value string, missing []string) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	res, err := x.lex.ProcessWordWithMatches(text, x)
	if err != nil {
		x.fail(key, fmt.Sprintf("%q: %v", text, err), `a dollar sign of its own is written \$`)
		return "", nil
	}
	for _, name := range slices.Sorted(maps.Keys(res.Unmatched)) {
		if !defaulted(text, name) {
			missing = append(missing, name)
		}
	}
	return res.Result, missing
}

// defaulted says whether a text does without a variable wherever it stands: ${NAME:-default},
// ${NAME:+instead}. The lexer counts such a variable as missing.
func defaulted(text, name string) bool {
	name = regexp.QuoteMeta(name)
	with := regexp.MustCompile(`\$\{`+name+`:?[-+]`).FindAllString(text, -1)
	all := regexp.MustCompile(`\$\{?`+name+`\b`).FindAllString(text, -1)
	return len(with) > 0 && len(with) == len(all)
}

func (x *expander) fail(key, message, hint string) {
	if x.err == nil {
		x.err = &buildkit.DefinitionError{Message: key + ": " + message, Hint: hint}
	}
}

func (x *expander) unset(key, text string, missing []string) {
	x.fail(key, fmt.Sprintf("%q: the variable %s has no value", text, strings.Join(missing, ", ")),
		"set it, or give a default as in ${"+missing[0]+":-default}; chartgate's own are "+strings.Join(x.Keys(), ", "))
}

// all replaces the variables of each text.
func (x *expander) all(key string, texts []string) []string {
	var out []string
	for _, t := range texts {
		value, missing := x.one(key, t)
		if len(missing) > 0 {
			x.unset(key, t, missing)
		}
		out = append(out, value)
	}
	return out
}

// known is all without the texts that want one of our variables which has no value
// here: a tag of the version, where the commit has none.
func (x *expander) known(key string, texts []string) []string {
	var out []string
	for _, t := range texts {
		value, missing := x.one(key, t)
		ours := slices.ContainsFunc(missing, func(name string) bool { _, is := x.vars[name]; return is && name != "IMAGE" })
		switch {
		case ours:
		case len(missing) > 0:
			x.unset(key, t, missing)
		case !slices.Contains(out, value):
			out = append(out, value)
		}
	}
	return out
}

// mapped replaces the variables of the values; flags stay as they are, and win.
func (x *expander) mapped(key string, own, flags map[string]string) map[string]string {
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(own)) {
		if _, given := flags[k]; given {
			continue
		}
		if v := x.all(key+"."+k, []string{own[k]}); len(v) == 1 {
			out[k] = v[0]
		}
	}
	maps.Copy(out, flags)
	return out
}
