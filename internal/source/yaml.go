package source

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// YAML is the syntax tree of the first document of a YAML file, kept for
// its positions only: what a file means is Helm's to say.
type YAML struct {
	root ast.Node
}

// ParseYAML reads the positions of a YAML file. goccy rejects some files that
// Helm loads; the error then says that positions are not to be had, not that
// the file is wrong. It never panics.
func ParseYAML(data []byte) (doc *YAML, err error) {
	defer func() {
		if r := recover(); r != nil {
			doc, err = &YAML{}, fmt.Errorf("parsing YAML: %v", r)
		}
	}()
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return &YAML{}, fmt.Errorf("parsing YAML: %w", err)
	}
	for _, d := range f.Docs {
		if d.Body != nil {
			return &YAML{root: d.Body}, nil
		}
	}
	return &YAML{}, nil
}

// Empty reports whether the document holds nothing, or null.
func (y *YAML) Empty() bool {
	if y == nil || y.root == nil {
		return true
	}
	_, null := unwrap(y.root).(*ast.NullNode)
	return null
}

// Pos returns where the node at path stands: strings are keys of mappings,
// ints are indices of sequences. A key's position is the key's. When the path
// ends early the deepest existing ancestor is returned with ok false; an empty
// document has position 1:1.
func (y *YAML) Pos(path ...any) (pos Pos, ok bool) {
	pos = Pos{1, 1}
	if y == nil || y.root == nil {
		return pos, false
	}
	node := unwrap(y.root)
	if len(path) == 0 {
		return nodePos(node), true
	}
	for _, step := range path {
		key, next := child(node, step)
		if next == nil && key == nil {
			return pos, false
		}
		pos = nodePos(key)
		node = unwrap(next)
	}
	return pos, true
}

// Value returns the position of the value at path, rather than of its key.
func (y *YAML) Value(path ...any) (pos Pos, ok bool) {
	if len(path) == 0 || y == nil {
		return y.Pos(path...)
	}
	node := unwrap(y.root)
	for i, step := range path {
		key, next := child(node, step)
		if key == nil {
			return y.Pos(path...)
		}
		if i == len(path)-1 {
			if v := unwrap(next); v != nil {
				if p := nodePos(v); !p.IsZero() {
					return p, true
				}
			}
			return nodePos(key), true
		}
		node = unwrap(next)
	}
	return pos, false
}

// Keys lists the keys of the mapping at path in the file's order.
func (y *YAML) Keys(path ...any) []string {
	if y == nil {
		return nil
	}
	node := unwrap(y.root)
	for _, step := range path {
		_, next := child(node, step)
		node = unwrap(next)
	}
	var keys []string
	for _, kv := range pairs(node) {
		keys = append(keys, keyString(kv.Key))
	}
	return keys
}

func child(node ast.Node, step any) (key, value ast.Node) {
	switch s := step.(type) {
	case string:
		for _, kv := range pairs(node) {
			if keyString(kv.Key) == s {
				return kv.Key, kv.Value
			}
		}
	case int:
		if seq, ok := node.(*ast.SequenceNode); ok && s >= 0 && s < len(seq.Values) {
			return seq.Values[s], seq.Values[s]
		}
	}
	return nil, nil
}

func pairs(node ast.Node) []*ast.MappingValueNode {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// unwrap steps through anchors and tags; an alias stands for itself.
func unwrap(node ast.Node) ast.Node {
	for {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.TagNode:
			node = n.Value
		case *ast.DocumentNode:
			node = n.Body
		default:
			return node
		}
	}
}

func keyString(key ast.MapKeyNode) string {
	if s, ok := unwrap(key).(*ast.StringNode); ok {
		return s.Value
	}
	return strings.Trim(key.String(), `"'`)
}

// nodePos is the position of the first token of a node. A mapping's own token
// is its first colon, so its first key is asked instead.
func nodePos(node ast.Node) Pos {
	switch n := node.(type) {
	case nil:
		return Pos{}
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return nodePos(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return nodePos(n.Key)
	}
	return tokenPos(node.GetToken())
}

func tokenPos(t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{}
	}
	return Pos{t.Position.Line, t.Position.Column}
}

var (
	errorLine = regexp.MustCompile(`\bline (\d+)(?:,? column (\d+))?(?:: (.*))?`)
	// What go-yaml's parser says, whose lines count from 0, unlike its scanner's.
	parserWords = regexp.MustCompile(`^did not find expected (?:key|'-'|','|<|node)|^found (?:duplicate %|incompatible YAML|undefined tag)`)
)

// ErrorPos finds the place that YAML libraries put into their messages: "line N",
// perhaps with "column N"; the zero Pos when there is none.
func ErrorPos(err error) Pos {
	m := errorLine.FindStringSubmatch(err.Error())
	if m == nil {
		return Pos{}
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	if parserWords.MatchString(m[3]) {
		line++
	}
	return Pos{line, column}
}
