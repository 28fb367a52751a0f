package yamllint

import "strings"

// parser checks that tokens follow YAML's grammar. It is fed one token at a time, so its state is explicit: what it
// expects next, a stack of what it expects after the node at hand, and a stack of the collections that are open.
type parser struct {
	state   parseState
	stack   []parseState
	version bool     // a %YAML directive was seen for this document
	handles []string // tag handles that this document's directives declare

	node nodeState
	err  *SyntaxError
}

// nodeState is what is known of the node whose start was seen.
type nodeState struct {
	start      Mark
	anchor     bool
	tag        bool
	block      bool
	indentless bool
	handle     string
	tagMark    Mark
}

type parseState uint8

const (
	expectStream parseState = iota
	expectFirstDocument
	expectDocument
	expectDocumentStart
	expectDocumentContent
	expectDocumentEnd
	expectNode
	expectBlockEntry
	expectBlockItem
	expectIndentlessEntry
	expectIndentlessItem
	expectBlockKey
	expectBlockKeyNode
	expectBlockValue
	expectBlockValueNode
	expectFlowFirstItem
	expectFlowItem
	expectFlowNextItem
	expectFlowPairKey
	expectFlowPairValue
	expectFlowPairValueNode
	expectFlowFirstKey
	expectFlowKey
	expectFlowNextKey
	expectFlowKeyNode
	expectFlowValue
	expectFlowValueNode
	expectNothing
)

// feed takes the next token. The text is what the token's offsets refer to.
func (p *parser) feed(t *Token, text []byte) {
	for p.err == nil && !p.step(t, text) {
	}
}

// step does one transition; it returns whether it used up the token.
func (p *parser) step(t *Token, text []byte) bool {
	switch {
	case p.state <= expectDocumentEnd:
		return p.stepDocument(t, text)
	case p.state == expectNode:
		return p.stepNode(t, text)
	case p.state <= expectBlockValueNode:
		return p.stepBlock(t)
	case p.state <= expectFlowPairValueNode:
		return p.stepFlowSequence(t)
	case p.state <= expectFlowValueNode:
		return p.stepFlowMapping(t)
	}
	return true
}

func (p *parser) become(s parseState) bool { p.state = s; return false }
func (p *parser) take(s parseState) bool   { p.state = s; return true }

func (p *parser) push(s parseState) { p.stack = append(p.stack, s) }

func (p *parser) pop() parseState {
	n := len(p.stack) - 1
	s := p.stack[n]
	p.stack = p.stack[:n]
	return s
}

// startNode expects a node; after it, the state given.
func (p *parser) startNode(t *Token, block, indentless bool, after parseState) bool {
	p.push(after)
	p.node = nodeState{start: t.Start, block: block, indentless: indentless}
	return p.become(expectNode)
}

func (p *parser) fail(m Mark, problem string) bool {
	p.err = &SyntaxError{Mark: m, Problem: problem}
	return true
}

func (p *parser) failFound(expected string, t *Token) bool {
	return p.fail(t.Start, expected+" '"+t.Kind.String()+"'")
}

func (p *parser) stepDocument(t *Token, text []byte) bool {
	switch p.state {
	case expectStream:
		return p.take(expectFirstDocument)
	case expectFirstDocument:
		switch t.Kind {
		case Directive, DocumentStart, StreamEnd:
			return p.become(expectDocument)
		}
		p.resetDocument()
		return p.startNode(t, true, false, expectDocumentEnd)
	case expectDocument:
		switch t.Kind {
		case DocumentEnd:
			return true
		case StreamEnd:
			return p.take(expectNothing)
		}
		p.resetDocument()
		return p.become(expectDocumentStart)
	case expectDocumentStart:
		switch t.Kind {
		case Directive:
			return p.directive(t, text)
		case DocumentStart:
			return p.take(expectDocumentContent)
		}
		return p.failFound("expected '<document start>', but found", t)
	case expectDocumentContent:
		switch t.Kind {
		case Directive, DocumentStart, DocumentEnd, StreamEnd:
			return p.become(expectDocumentEnd)
		}
		return p.startNode(t, true, false, expectDocumentEnd)
	}
	p.state = expectDocument // the end of a document
	return t.Kind == DocumentEnd
}

func (p *parser) resetDocument() { p.version, p.handles = false, nil }

func (p *parser) directive(t *Token, text []byte) bool {
	words := strings.Fields(string(text[t.Start.Offset:t.End.Offset]))
	switch words[0] {
	case "%YAML":
		if p.version {
			return p.fail(t.Start, "found duplicate YAML directive")
		}
		major, _, _ := strings.Cut(words[1], ".")
		if strings.TrimLeft(major, "0") != "1" {
			return p.fail(t.Start, "found incompatible YAML document (version 1.* is required)")
		}
		p.version = true
	case "%TAG":
		if p.declared(words[1]) {
			return p.fail(t.Start, "duplicate tag handle "+quoteString(words[1]))
		}
		p.handles = append(p.handles, words[1])
	}
	return true
}

func (p *parser) declared(handle string) bool {
	for _, h := range p.handles {
		if h == handle {
			return true
		}
	}
	return false
}

func (p *parser) stepNode(t *Token, text []byte) bool {
	n := &p.node
	switch {
	case t.Kind == Alias && !n.anchor && !n.tag:
		return p.take(p.pop())
	case t.Kind == Anchor && !n.anchor:
		n.anchor = true
		return true
	case t.Kind == Tag && !n.tag:
		n.tag, n.tagMark, n.handle = true, t.Start, ""
		if t.handle >= 0 {
			n.handle = string(text[t.Start.Offset : t.Start.Offset+int(t.handle)])
		}
		return true
	}
	if h := n.handle; h != "" && h != "!" && h != "!!" && !p.declared(h) {
		return p.fail(n.tagMark, "found undefined tag handle "+quoteString(h))
	}
	switch {
	case n.indentless && t.Kind == BlockEntry:
		return p.become(expectIndentlessEntry)
	case t.Kind == Scalar:
		return p.take(p.pop())
	case t.Kind == FlowSequenceStart:
		return p.take(expectFlowFirstItem)
	case t.Kind == FlowMappingStart:
		return p.take(expectFlowFirstKey)
	case n.block && t.Kind == BlockSequenceStart:
		return p.take(expectBlockEntry)
	case n.block && t.Kind == BlockMappingStart:
		return p.take(expectBlockKey)
	case n.anchor || n.tag:
		return p.become(p.pop())
	}
	return p.failFound("expected the node content, but found", t)
}
