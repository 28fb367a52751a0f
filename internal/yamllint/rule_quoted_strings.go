package yamllint

import (
	"bytes"
	"regexp"
)

func quotedStringsRule() *Rule {
	patterns := Type{String: true, List: true}
	return &Rule{
		Name: "quoted-strings",
		What: "Asks for quotes around strings, or forbids those that are not needed, and for one kind of quotes. Block scalars are not looked at.",
		Why:  "With a rule for quotes, a reader need not know which words YAML takes for booleans, numbers or null.",
		Bad:  "---\nversion: v1\n", Good: "---\nversion: \"v1\"\n",
		Options: []Option{
			{
				Name: "quote-type", What: "which quotes are allowed: single, double, any, or consistent for those that a file uses first",
				Default: "any", Type: Type{Enum: []string{"any", "single", "double", "consistent"}},
			},
			{
				Name: "required", What: "whether strings must be quoted; only-when-needed forbids quotes that could be left out",
				Default: true, Type: Type{Bool: true, Enum: []string{"only-when-needed"}, Spelled: true},
			},
			{Name: "extra-required", What: "regular expressions of strings that must be quoted, where required is not true", Default: []string{}, Type: patterns},
			{Name: "extra-allowed", What: "regular expressions of strings that may be quoted, where required is only-when-needed", Default: []string{}, Type: patterns},
			{Name: "allow-quoted-quotes", What: "whether the other quotes are allowed around a string that has the wanted quotes inside", Default: false, Type: Type{Bool: true}},
			{Name: "check-keys", What: "whether keys are looked at as well as values", Default: false, Type: Type{Bool: true}},
		},
		check:    checkQuotedStrings,
		conflict: quotedStringsConflict,
	}
}

func quotedStringsConflict(o options) string {
	required, always := o["required"].(bool)
	switch {
	case required && len(o.strings("extra-required")) > 0:
		return `quoted-strings: cannot use both "required: true" and "extra-required"`
	case required && len(o.strings("extra-allowed")) > 0:
		return `quoted-strings: cannot use both "required: true" and "extra-allowed"`
	case always && !required && len(o.strings("extra-allowed")) > 0:
		return `quoted-strings: cannot use both "required: false" and "extra-allowed"`
	}
	for _, option := range []string{"extra-required", "extra-allowed"} {
		if reason := badPattern("quoted-strings", option, o.strings(option)); reason != "" {
			return reason
		}
	}
	return ""
}

// quoteChecker is the state of the rule for one text.
type quoteChecker struct {
	text     []byte
	report   *reporter
	quotes   string // any, single, double or consistent
	wanted   byte   // the quote that is allowed, 0 for both
	always   bool
	lean     bool // only when needed
	required []*regexp.Regexp
	allowed  []*regexp.Regexp
	nested   bool // allow-quoted-quotes
	keys     bool
	flow     int // depth of flow collections
}

func checkQuotedStrings(o options, text []byte, r *reporter) checks {
	q := &quoteChecker{
		text: text, report: r, quotes: o.string("quote-type"), always: o.bool("required"), lean: o.string("required") != "",
		required: compileAll(o.strings("extra-required")), allowed: compileAll(o.strings("extra-allowed")),
		nested: o.bool("allow-quoted-quotes"), keys: o.bool("check-keys"),
	}
	switch q.quotes {
	case "single":
		q.wanted = '\''
	case "double":
		q.wanted = '"'
	}
	return checks{kinds: []Kind{Scalar, FlowSequenceStart, FlowMappingStart, FlowSequenceEnd, FlowMappingEnd}, token: q.token}
}

func (q *quoteChecker) token(w *window) {
	t := w.cur
	switch t.Kind {
	case FlowSequenceStart, FlowMappingStart:
		q.flow++
	case FlowSequenceEnd, FlowMappingEnd:
		q.flow = max(q.flow-1, 0)
	case Scalar:
		if w.prev != nil && t.Style != '|' && t.Style != '>' {
			q.scalar(t, w.prev)
		}
	}
}

func (q *quoteChecker) scalar(t, prev *Token) {
	what := "string value is "
	switch prev.Kind {
	case BlockEntry, FlowEntry, FlowSequenceStart, Value:
	case Tag:
		if bytes.HasPrefix(q.text[prev.Start.Offset:prev.End.Offset], []byte("!!")) {
			return
		}
	case Key:
		if !q.keys {
			return
		}
		what = "string key is "
	default:
		return
	}
	value := scalarValue(q.text, t)
	if t.Plain() && !isPlainString(string(value)) {
		return
	}
	if message := q.judge(t, value); message != "" {
		q.report.at(t.Start, what+message)
	}
}

// judge says what is wrong with the quotes of a string, "" where nothing is.
func (q *quoteChecker) judge(t *Token, value []byte) string {
	if t.Plain() {
		switch {
		case q.always:
			return "not quoted with " + q.quotes + " quotes"
		case anyMatch(q.required, value):
			return "not quoted"
		}
		return ""
	}
	if q.lean && !continuesLine(q.text, t) && !quotesNeeded(value, q.flow > 0) {
		if anyMatch(q.required, value) || anyMatch(q.allowed, value) {
			return ""
		}
		return "redundantly quoted with " + q.quotes + " quotes"
	}
	if q.quotes == "consistent" && q.wanted == 0 {
		q.wanted = t.Style
	}
	if q.wanted == 0 || q.wanted == t.Style || q.nested && bytes.IndexByte(value, q.wanted) >= 0 {
		return ""
	}
	return "not quoted with " + q.quotes + " quotes"
}

// continuesLine tells whether a string is in double quotes and joins two lines without a space, which needs them.
func continuesLine(text []byte, t *Token) bool {
	raw := text[t.Start.Offset:t.End.Offset]
	return t.Style == '"' && t.Start.Line != t.End.Line && (bytes.Contains(raw, []byte("\\\n")) || bytes.Contains(raw, []byte("\\\r\n")))
}

// quotesNeeded tells whether a string would not be the same string without quotes.
func quotesNeeded(value []byte, flow bool) bool {
	if !isPlainString(string(value)) {
		return true
	}
	open, shut, want := "key: ", "", [...]Kind{StreamStart, BlockMappingStart, Key, Scalar, Value, Scalar, BlockEnd, StreamEnd}
	if flow {
		open, shut, want = "k: [", "]", [...]Kind{StreamStart, BlockMappingStart, Key, Scalar, Value, FlowSequenceStart, Scalar, FlowSequenceEnd}
	}
	text := append(append([]byte(open), value...), shut...)
	if _, bad := decode(text); bad != nil {
		return true
	}
	s := newScanner(text)
	var t Token
	for _, kind := range want {
		if !s.next(&t) || t.Kind != kind {
			return true
		}
		if kind == Scalar && t.Start.Offset >= len(open) {
			if !t.Plain() || !bytes.Equal(scalarValue(text, &t), value) {
				return true
			}
		}
	}
	return false
}
