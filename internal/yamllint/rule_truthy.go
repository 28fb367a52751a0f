package yamllint

import (
	"slices"
	"strings"
)

// truthyWords are the plain scalars that YAML 1.1 reads as booleans.
func truthyWords() []string {
	return []string{
		"YES", "Yes", "yes", "NO", "No", "no", "TRUE", "True", "true", "FALSE", "False", "false", "ON", "On", "on", "OFF", "Off", "off",
	}
}

func truthyRule() *Rule {
	return &Rule{
		Name: "truthy",
		What: "Forbids words that a YAML parser reads as booleans, other than those allowed.",
		Why:  "Unquoted, yes, no, on and off become booleans, and a country code NO becomes false. Where a document says %YAML 1.2, only the spellings of true and false are booleans.",
		Bad:  "---\nenabled: yes\n", Good: "---\nenabled: true\n",
		Options: []Option{
			{
				Name: "allowed-values", What: "words that are let pass", Default: []string{"true", "false"},
				Type: Type{Enum: truthyWords(), List: true},
			},
			{Name: "check-keys", What: "whether keys are looked at as well as values", Default: true, Type: Type{Bool: true}},
		},
		check: checkTruthy,
	}
}

func checkTruthy(o options, text []byte, r *reporter) checks {
	allowed := slices.Sorted(slices.Values(o.strings("allowed-values")))
	message := "truthy value should be one of [" + strings.Join(allowed, ", ") + "]"
	checkKeys := o.bool("check-keys")
	strict := false // the document is of YAML 1.2
	return checks{kinds: []Kind{Directive, DocumentEnd, Scalar}, token: func(w *window) {
		switch t := w.cur; {
		case t.Kind == Directive:
			strict = yaml12(text, t)
		case t.Kind == DocumentEnd:
			strict = false
		case !t.Plain() || w.prev != nil && (w.prev.Kind == Tag || w.prev.Kind == Key && !checkKeys):
		case isTruthy(text[t.Start.Offset:t.End.Offset], strict) && !slices.Contains(allowed, string(text[t.Start.Offset:t.End.Offset])):
			r.at(t.Start, message)
		}
	}}
}

func yaml12(text []byte, t *Token) bool {
	words := strings.Fields(string(text[t.Start.Offset:t.End.Offset]))
	return len(words) == 2 && words[0] == "%YAML" && strings.HasPrefix(words[1], "1.") && strings.TrimLeft(words[1][2:], "0") == "2"
}

// isTruthy tells whether a plain scalar is a boolean in YAML 1.1, or in 1.2 where that is strict.
func isTruthy(s []byte, strict bool) bool {
	if len(s) < 2 || len(s) > 5 {
		return false
	}
	switch string(s) {
	case "TRUE", "True", "true", "FALSE", "False", "false":
		return true
	case "YES", "Yes", "yes", "NO", "No", "no", "ON", "On", "on", "OFF", "Off", "off":
		return !strict
	}
	return false
}
