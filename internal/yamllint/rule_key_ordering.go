package yamllint

import "regexp"

func keyOrderingRule() *Rule {
	return &Rule{
		Name: "key-ordering",
		What: "Asks for the keys of a mapping in the order of their characters' code points.",
		Why:  "Keys in order are found quickly, and changes to them seldom conflict.",
		Bad:  "---\nname: web\nimage: web\n", Good: "---\nimage: web\nname: web\n",
		Options: []Option{
			{Name: "ignored-keys", What: "regular expressions of keys that may stand anywhere", Default: []string{}, Type: Type{String: true, List: true}},
		},
		check:    checkKeyOrdering,
		conflict: func(o options) string { return badPattern("key-ordering", "ignored-keys", o.strings("ignored-keys")) },
	}
}

func checkKeyOrdering(o options, text []byte, r *reporter) checks {
	ignored := compileAll(o.strings("ignored-keys"))
	type mapping struct {
		ordered bool // it is a mapping
		largest []byte
	}
	var stack []mapping
	return checks{kinds: keyKinds(), token: func(w *window) {
		switch w.cur.Kind {
		case BlockMappingStart, FlowMappingStart:
			stack = append(stack, mapping{ordered: true})
		case BlockSequenceStart, FlowSequenceStart:
			stack = append(stack, mapping{})
		case BlockEnd, FlowMappingEnd, FlowSequenceEnd:
			if len(stack) > 0 {
				stack = stack[:len(stack)-1]
			}
		case Key:
			if len(stack) == 0 || !stack[len(stack)-1].ordered || w.next == nil || w.next.Kind != Scalar {
				return
			}
			key, top := scalarValue(text, w.next), &stack[len(stack)-1]
			switch {
			case anyMatch(ignored, key):
			case top.largest != nil && string(key) < string(top.largest):
				r.at(w.next.Start, `wrong ordering of key "`+string(key)+`" in mapping`)
			default:
				top.largest = key
			}
		}
	}}
}

// badPattern says which of an option's regular expressions is none that can be used, "" where all can.
func badPattern(rule, option string, list []string) string {
	for _, p := range list {
		if _, err := regexp.Compile(p); err != nil {
			return `option "` + option + `" of "` + rule + `" has a regular expression that cannot be used: ` + err.Error()
		}
	}
	return ""
}

// compileAll compiles regular expressions that badPattern let pass.
func compileAll(list []string) []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, p := range list {
		if re, err := regexp.Compile(p); err == nil {
			all = append(all, re)
		}
	}
	return all
}

func anyMatch(list []*regexp.Regexp, b []byte) bool {
	for _, re := range list {
		if re.Match(b) {
			return true
		}
	}
	return false
}
