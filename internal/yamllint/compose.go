package yamllint

import "strings"

// node is a value of a configuration file. Only these are ever made into trees, so depth and size are kept small.
type node struct {
	kind  nodeKind
	mark  Mark
	text  string // of a scalar
	plain bool
	keys  []*node // of a mapping, in order; as long as items
	items []*node
}

type nodeKind uint8

const (
	scalarNode nodeKind = iota
	mappingNode
	sequenceNode
)

const (
	maxConfigDepth = 64
	maxConfigNodes = 100_000
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
	root, err := c.node(0)
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

// node composes the node that starts here, which may be empty.
func (c *composer) node(depth int) (*node, *SyntaxError) {
	n := &node{mark: c.peek().Start, plain: true}
	if c.nodes++; depth > maxConfigDepth || c.nodes > maxConfigNodes {
		return nil, &SyntaxError{n.mark, "file is too large or nests too deep for a configuration"}
	}
	anchor := ""
	for c.peek().Kind == Anchor || c.peek().Kind == Tag {
		t := c.take()
		text := string(c.text[t.Start.Offset+1 : t.End.Offset])
		switch {
		case t.Kind == Anchor:
			anchor = text
		case text == "" || text == "!str" || text == "tag:yaml.org,2002:str":
			n.plain = false
		case !strings.HasPrefix(text, "!"):
			return nil, &SyntaxError{t.Start, "could not determine a constructor for the tag " + quoteString("!"+text)}
		}
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
		n.kind = sequenceNode
		err = c.sequence(n, depth)
	}
	if anchor != "" {
		c.anchors[anchor] = n
	}
	return n, err
}

func (c *composer) mapping(n *node, depth int) *SyntaxError {
	c.take()
	for {
		switch c.peek().Kind {
		case BlockEnd, FlowMappingEnd:
			c.take()
			return nil
		case FlowEntry, Key:
			c.take()
			continue
		}
		key, value := &node{mark: c.peek().Start, plain: true}, &node{mark: c.peek().Start, plain: true}
		var err *SyntaxError
		if c.peek().Kind != Value {
			if key, err = c.node(depth + 1); err != nil {
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
	return c.node(depth + 1)
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
		item, err := c.node(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
}

// set puts a pair into a mapping; a later one takes the place of an earlier one, as it does in Python.
func (n *node) set(key, value *node) {
	for i, k := range n.keys {
		if k.kind == scalarNode && key.kind == scalarNode && k.text == key.text {
			n.items[i] = value
			return
		}
	}
	n.keys, n.items = append(n.keys, key), append(n.items, value)
}

// get returns the value of a key, nil where there is none.
func (n *node) get(key string) *node {
	for i, k := range n.keys {
		if k.kind == scalarNode && k.text == key {
			return n.items[i]
		}
	}
	return nil
}
