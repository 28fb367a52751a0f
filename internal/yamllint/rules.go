package yamllint

// Rule is one thing that can be checked.
type Rule struct {
	Name    string
	What    string // what it does, one or two sentences
	Why     string // why that matters
	Bad     string // an example with a problem
	Good    string // the same without
	Options []Option

	// check makes the rule's functions for one text, with a state of their own.
	check func(o options, text []byte, r *reporter) checks
	// conflict tells what is wrong with options that are right by themselves; "" where nothing is.
	conflict func(o options) string
}

// Option is one setting of a rule.
type Option struct {
	Name    string
	What    string
	Default any // bool, int, string, []string or []any
	Type    Type
}

// Type is what values an option takes: any of these.
type Type struct {
	Bool, Int, String bool
	Enum              []string
	List              bool // a list of what the other fields say
	Spelled           bool // of Bool with Enum: messages spell out True and False
}

// Rules returns the rules by name. The slice is the caller's.
func Rules() []*Rule {
	return []*Rule{
		anchorsRule(),
		bracesRule(),
		bracketsRule(),
		colonsRule(),
		commasRule(),
		commentsRule(),
		commentsIndentationRule(),
		documentEndRule(),
		documentStartRule(),
		emptyLinesRule(),
		emptyValuesRule(),
		floatValuesRule(),
		hyphensRule(),
		indentationRule(),
		keyDuplicatesRule(),
		keyOrderingRule(),
		lineLengthRule(),
		newLineAtEndOfFileRule(),
		newLinesRule(),
		octalValuesRule(),
		quotedStringsRule(),
		trailingSpacesRule(),
		truthyRule(),
	}
}

// options are the values of a rule's options, defaults filled in.
type options map[string]any

func (o options) bool(name string) bool { b, _ := o[name].(bool); return b }

func (o options) int(name string) int { n, _ := o[name].(int); return n }

func (o options) string(name string) string { s, _ := o[name].(string); return s }

func (o options) strings(name string) []string { l, _ := o[name].([]string); return l }
