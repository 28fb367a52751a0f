package yamllint

// Mark is a place in the text.
type Mark struct {
	Offset int // in bytes of the decoded text, from 0
	Line   int // from 0; CR, LF, CRLF, NEL, LS and PS end a line
	Column int // in characters, from 0; a byte order mark has no width
}

// Kind tells tokens apart.
type Kind uint8

// The kinds of tokens, in the order of YAML's specification.
const (
	StreamStart Kind = iota
	StreamEnd
	Directive
	DocumentStart
	DocumentEnd
	BlockSequenceStart
	BlockMappingStart
	BlockEnd
	FlowSequenceStart
	FlowSequenceEnd
	FlowMappingStart
	FlowMappingEnd
	BlockEntry
	FlowEntry
	Key
	Value
	Alias
	Anchor
	Tag
	Scalar
)

const kindCount = Scalar + 1

func allKinds() []Kind {
	kinds := make([]Kind, kindCount)
	for i := range kinds {
		kinds[i] = Kind(i)
	}
	return kinds
}

// String returns the kind as syntax errors name it.
func (k Kind) String() string {
	return [...]string{
		"<stream start>", "<stream end>", "<directive>", "<document start>", "<document end>", "<block sequence start>",
		"<block mapping start>", "<block end>", "[", "]", "{", "}", "-", ",", "?", ":", "<alias>", "<anchor>", "<tag>", "<scalar>",
	}[k]
}

// Token is one token. Tokens that the text does not spell out (a stream's start, a block's start and end, the key
// before a ":") have an empty extent.
type Token struct {
	Kind  Kind
	Style byte // of a scalar: 0 for plain, else one of ' " | >
	Start Mark
	End   Mark

	indent int32 // of a block scalar: the column at which its text starts
	handle int32 // of a tag: bytes of its handle, -1 where it has none
}

// Plain tells whether the token is a scalar without quotes or block indicator.
func (t *Token) Plain() bool { return t.Kind == Scalar && t.Style == 0 }

// Spelled tells whether the token stands in the text, rather than being implied by it.
func (t *Token) spelled() bool { return t.End.Offset > t.Start.Offset }

// SyntaxError says where and why a text is not YAML.
type SyntaxError struct {
	Mark    Mark
	Problem string // without the words "syntax error"
}

func (e *SyntaxError) Error() string { return "syntax error: " + e.Problem }
