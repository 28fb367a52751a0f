package engine

import (
	"encoding/binary"
	"fmt"
	"maps"
	"regexp"
	"sort"
	"strings"
	"text/template/parse"
)

// source is one parsed text: a template file, or what was given to tpl.
// It is read-only once compiled, so renders share it.
type source struct {
	name   string
	number uint32 // unique within an Engine; part of what marks carry
	text   string
	lines  []int32 // offset of the start of each line
	trees  map[string]*parse.Tree
	marks  []mark
	spare  []byte // for the bytes of marks to come
	// callsTpl says that some {{template}} names the text of tpl itself.
	callsTpl bool
}

type markKind uint8

const (
	textMark  markKind = iota // text of the template
	placeMark                 // an action that prints, or {{template}}, is next
	turnMark                  // a loop takes a turn
	enterMark                 // a template starts
	leaveMark                 // a template ended
)

// mark is a text node of a rewritten tree, as the writer sees it: the bytes
// that the node writes are followed, beyond their length, by the mark's number.
type mark struct {
	src    *source
	first  *byte // start of the node's bytes: nothing else starts there
	offset int32 // in src.text
	weight int32 // enterMark, leaveMark: how much of Limits.Depth the template takes
	kind   markKind
}

func (m *mark) line() int { return m.src.line(int(m.offset)) }

const (
	markMagic = 0xc4a76a7e
	markSize  = 12
)

// mark makes the bytes of a text node that writes text.
func (s *source) mark(kind markKind, text []byte, offset parse.Pos, weight int) []byte {
	n := len(text)
	b := s.carve(n + markSize)
	copy(b, text)
	binary.LittleEndian.PutUint32(b[n:], markMagic)
	binary.LittleEndian.PutUint32(b[n+4:], s.number)
	binary.LittleEndian.PutUint32(b[n+8:], uint32(len(s.marks)))
	s.marks = append(s.marks, mark{src: s, first: &b[0], offset: int32(offset), weight: int32(weight), kind: kind})
	return b[:n:len(b)]
}

// carve cuts n zero bytes off a larger piece: a source has thousands of marks.
func (s *source) carve(n int) []byte {
	const piece = 4 << 10
	if n > len(s.spare) {
		if n >= piece/4 {
			return make([]byte, n)
		}
		s.spare = make([]byte, piece)
	}
	b := s.spare[:n:n]
	s.spare = s.spare[n:]
	return b
}

// readMark reads the source and mark numbers behind p, if there are any.
func readMark(p []byte) (number, index uint32, ok bool) {
	n := len(p)
	if cap(p)-n < markSize {
		return 0, 0, false
	}
	tail := p[n : n+markSize]
	if binary.LittleEndian.Uint32(tail) != markMagic {
		return 0, 0, false
	}
	return binary.LittleEndian.Uint32(tail[4:]), binary.LittleEndian.Uint32(tail[8:]), true
}

// line returns the line, from 1, of a byte of the text.
func (s *source) line(offset int) int {
	return sort.Search(len(s.lines), func(i int) bool { return int(s.lines[i]) > offset })
}

// maxBlocks bounds the blocks of one text, and with them how deep they nest:
// text/template's parser and its execution recurse at each.
const maxBlocks = 20_000

// maxVariableWork bounds declarations times uses of variables in one text:
// text/template looks each up by walking through all.
const maxVariableWork = 500_000_000

// maxLiterals bounds the size of one action: errors quote actions, once for
// each template that they pass through.
const maxLiterals = 1 << 20

var blockStart = regexp.MustCompile(`\{\{-?\s*(?:if|range|with|block|define|else)\b`)

// compile parses and rewrites a text. The error is a *LimitError, or one of
// text/template/parse.
func compile(name, text string, number uint32, lim Limits, funcs *library) (*source, error) {
	if err := checkSource(text, lim); err != nil {
		return nil, err
	}
	trees, err := parse.Parse(name, text, "", "", funcs.names)
	if err != nil {
		return nil, err
	}
	s := &source{name: name, number: number, text: text, trees: trees, lines: lineStarts(text)}
	rw := rewriter{src: s, funcs: funcs}
	for _, t := range sortedTrees(trees) {
		if err := rw.tree(t); err != nil {
			return nil, err
		}
	}
	s.spare = nil
	return s, nil
}

func sortedTrees(trees map[string]*parse.Tree) []*parse.Tree {
	out := make([]*parse.Tree, 0, len(trees))
	for t := range maps.Values(trees) {
		out = append(out, t)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// checkSource refuses texts that would keep the parser busy for minutes or
// overflow its stack.
func checkSource(text string, lim Limits) error {
	if len(text) > lim.Source {
		return &LimitError{What: fmt.Sprintf("a template of %d bytes", len(text)), Limit: size(lim.Source)}
	}
	if strings.Count(text, "{{") > maxBlocks {
		if n := len(blockStart.FindAllStringIndex(text, maxBlocks+1)); n > maxBlocks {
			return &LimitError{What: "blocks (if, range, with, block, define, else) in one template", Limit: count(maxBlocks)}
		}
	}
	declared, used := strings.Count(text, ":="), strings.Count(text, "$")
	if declared*used > maxVariableWork {
		return &LimitError{What: fmt.Sprintf("%d declarations and %d uses of variables in one template", declared, used),
			Limit: count(maxVariableWork) + " for their product"}
	}
	return nil
}

func lineStarts(text string) []int32 {
	out := make([]int32, 1, 1+strings.Count(text, "\n"))
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return out
		}
		at += i + 1
		out = append(out, int32(at))
	}
}

// count writes a number with separators, for people.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
