package yamllint

import "strings"

const (
	maxConfigDepth = 64
	maxConfigNodes = 10_000
)

// composer makes a tree of tokens that the parser has found to be right.
type composer struct {
	text    []byte
	tokens  []Token
	anchors map[string]*node
	nodes   int
}

// compose returns the only document of a text, nil where it has none.
func compose(text []byte) (*node, *SyntaxError) {
	c := &composer{text: text, anchors: map[string]*node{}}
	s := newScanner(text)
	p := parser{}
	var t Token
	for s.next(&t) {
		if p.feed(&t, text); p.err != nil {
			return nil, p.err
		}
		if len(c.tokens) > 4*maxConfigNodes {
			return nil, &SyntaxError{t.Start, "file is too large for a configuration"}
		}
		c.tokens = append(c.tokens, t)
	}
	if s.err != nil {
		return nil, s.err
	}
	c.take() // the stream's start
	for c.peek().Kind == Directive || c.peek().Kind == DocumentEnd {
		c.take()
	}
	if c.peek().Kind == StreamEnd {
		return nil, nil
	}
	if c.peek().Kind == DocumentStart {
		c.take()
	}
	root, err := c.node(0, false)
	if err != nil {
		return nil, err
	}
	for c.peek().Kind == DocumentEnd {
		c.take()
	}
	if t := c.peek(); t.Kind != StreamEnd {
		return nil, &SyntaxError{t.Start, "expected a single document in the stream"}
	}
	return root, nil
}

func (c *composer) peek() *Token { return &c.tokens[0] }

func (c *composer) take() Token {
	t := c.tokens[0]
	c.tokens = c.tokens[1:]
	return t
}

// node composes the node that starts here, which may be empty. Where it is the value of a key, a "-" may start it.
func (c *composer) node(depth int, ofKey bool) (*node, *SyntaxError) {
	n := &node{mark: c.peek().Start, plain: true}
	if c.nodes++; depth > maxConfigDepth || c.nodes > maxConfigNodes {
		return nil, &SyntaxError{n.mark, "file is too large or nests too deep for a configuration"}
	}
	anchor, bad := c.properties(n)
	if bad != nil {
		return nil, bad
	}
	var err *SyntaxError
	switch t := c.peek(); t.Kind {
	case Alias:
		name := string(c.text[t.Start.Offset+1 : t.End.Offset])
		if c.anchors[name] == nil {
			return nil, &SyntaxError{t.Start, "found undefined alias " + quoteString(name)}
		}
		c.take()
		return c.anchors[name], nil
	case Scalar:
		n.text = string(scalarValue(c.text, t))
		n.plain = n.plain && t.Plain()
		c.take()
	case BlockMappingStart, FlowMappingStart:
		n.kind = mappingNode
		err = c.mapping(n, depth)
	case BlockSequenceStart, FlowSequenceStart, BlockEntry:
		if t.Kind != BlockEntry || ofKey {
			n.kind = sequenceNode
			err = c.sequence(n, depth)
		}
	}
	if anchor != "" {
		c.anchors[anchor] = n
	}
	return n, err
}

// properties reads a node's anchor and tag. Of tags, only that of strings has a meaning here.
func (c *composer) properties(n *node) (anchor string, bad *SyntaxError) {
	for c.peek().Kind == Anchor || c.peek().Kind == Tag {
		t := c.take()
		text := string(c.text[t.Start.Offset+1 : t.End.Offset])
		switch {
		case t.Kind == Anchor:
			anchor = text
		case text == "" || text == "!str" || text == "<tag:yaml.org,2002:str>":
			n.plain = false
		case !strings.HasPrefix(text, "!"):
			return "", &SyntaxError{t.Start, "could not determine a constructor for the tag " + quoteString("!"+text)}
		}
	}
	return anchor, nil
}

func (c *composer) mapping(n *node, depth int) *SyntaxError {
	c.take()
	for {
		switch c.peek().Kind {
		case BlockEnd, FlowMappingEnd:
			c.take()
			return c.merge(n)
		case FlowEntry, Key:
			c.take()
			continue
		}
		key, value := &node{mark: c.peek().Start, plain: true}, &node{mark: c.peek().Start, plain: true}
		var err *SyntaxError
		if c.peek().Kind != Value {
			if key, err = c.node(depth+1, true); err != nil {
				return err
			}
		}
		if c.peek().Kind == Value {
			c.take()
			if value, err = c.optional(depth); err != nil {
				return err
			}
		}
		n.set(key, value)
	}
}

// optional composes a node where one may be missing.
func (c *composer) optional(depth int) (*node, *SyntaxError) {
	switch t := c.peek(); t.Kind {
	case Key, Value, BlockEnd, FlowEntry, FlowMappingEnd, FlowSequenceEnd:
		return &node{mark: t.Start, plain: true}, nil
	}
	return c.node(depth+1, true)
}

func (c *composer) sequence(n *node, depth int) *SyntaxError {
	indentless := c.peek().Kind == BlockEntry
	if !indentless {
		c.take()
	}
	for {
		switch c.peek().Kind {
		case BlockEnd, FlowSequenceEnd:
			if !indentless {
				c.take()
			}
			return nil
		case FlowEntry:
			c.take()
			continue
		case BlockEntry:
			c.take()
			if k := c.peek().Kind; k == BlockEntry || k == BlockEnd || indentless && k == Key {
				n.items = append(n.items, &node{mark: c.peek().Start, plain: true})
				continue
			}
		case Key, Value:
			if indentless {
				return nil
			}
			return &SyntaxError{c.peek().Start, "pairs in a sequence have no use in a configuration"}
		}
		item, err := c.node(depth+1, false)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
}

// merge puts the pairs of mappings under the key "<<" before the node's own, which take their place.
func (c *composer) merge(n *node) *SyntaxError {
	var merged node
	found := false
	for i, k := range n.keys {
		if !k.isMerge() {
			continue
		}
		found = true
		from := []*node{n.items[i]}
		if n.items[i].kind == sequenceNode {
			from = n.items[i].items
		}
		for _, m := range from {
			if c.nodes += len(m.keys); c.nodes > maxConfigNodes {
				return &SyntaxError{k.mark, "file is too large for a configuration"}
			}
			for j, key := range m.keys {
				if key.kind != scalarNode || merged.get(key.text) == nil {
					merged.set(key, m.items[j])
				}
			}
		}
	}
	if !found {
		return nil
	}
	for i, k := range n.keys {
		if !k.isMerge() {
			merged.set(k, n.items[i])
		}
	}
	n.keys, n.items = merged.keys, merged.items
	return nil
}
