package yamllint

import "strings"

func octalValuesRule() *Rule {
	return &Rule{
		Name: "octal-values",
		What: "Forbids octal numbers.",
		Why:  "In YAML 1.1 a number with a leading zero is octal: a file mode that is meant so, a postal code that is not.",
		Bad:  "---\ncode: 0123\n", Good: "---\ncode: \"0123\"\n",
		Options: []Option{
			{Name: "forbid-implicit-octal", What: "whether numbers such as 0123 are forbidden", Default: true, Type: Type{Bool: true}},
			{Name: "forbid-explicit-octal", What: "whether numbers such as 0o123 are forbidden", Default: true, Type: Type{Bool: true}},
		},
		check: checkOctalValues,
	}
}

func checkOctalValues(o options, text []byte, r *reporter) checks {
	implicit, explicit := o.bool("forbid-implicit-octal"), o.bool("forbid-explicit-octal")
	return checks{kinds: []Kind{Scalar}, token: func(w *window) {
		t := w.cur
		if !t.Plain() || w.prev != nil && w.prev.Kind == Tag || text[t.Start.Offset] != '0' || t.End.Offset-t.Start.Offset < 2 {
			return
		}
		value := string(text[t.Start.Offset:t.End.Offset])
		rest := value[1:]
		switch {
		case rest[0] == 'o' && explicit && len(rest) > 1 && isOctal(rest[1:]):
			r.at(t.End, `forbidden explicit octal value "`+value+`"`)
		case implicit && isOctal(rest):
			r.at(t.End, `forbidden implicit octal value "`+value+`"`)
		}
	}}
}

func isOctal(s string) bool { return strings.Trim(s, "01234567") == "" }
