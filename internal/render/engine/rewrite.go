package engine

import (
	"strings"
	"text/template/parse"
)

// Hidden functions stand at the end of pipelines. The parser does not know
// them, so no template can call them.
const (
	hiddenPrint = "chartgateHiddenPrint" // what an action is about to print
	hiddenRange = "chartgateHiddenRange" // what a loop is about to walk
	hiddenCount = "chartgateHiddenCount" // what a method returned
	hiddenField = "chartgateHiddenField" // what a method returned, as an argument without parentheses
)

// countedMethods are the methods of values that templates can reach whose
// results take memory in proportion to the chart or to their arguments.
// A field of .Values with such a name is passed through unharmed.
var countedMethods = map[string]bool{
	"Get": true, "Glob": true, "Lines": true, "AsConfig": true, "AsSecrets": true,
	"YAML": true, "Format": true, "AppendFormat": true, "String": true, "SetMetadata": true, "SetPrerelease": true,
}

// rewriter puts marks and hidden functions into a tree. It changes nothing of
// what the tree writes, nor of the errors it ends in.
type rewriter struct {
	src      *source
	funcs    *library
	nodes    []parse.TextNode // to be used
	literals int              // bytes of literals in the current action
	excess   *LimitError      // the first limit that was exceeded
}

// levelsPerDepth is how many nested blocks or parentheses take as much stack
// as one nested template.
const levelsPerDepth = 8

func (w *rewriter) tree(t *parse.Tree) error {
	if t.Root == nil {
		return nil
	}
	levels := w.list(t.Root)
	weight := 1 + levels/levelsPerDepth
	at := t.Root.Pos
	nodes := make([]parse.Node, 0, len(t.Root.Nodes)+2)
	nodes = append(nodes, w.text(enterMark, nil, at, weight))
	nodes = append(nodes, t.Root.Nodes...)
	t.Root.Nodes = append(nodes, w.text(leaveMark, nil, at, weight))
	if w.excess != nil {
		return w.excess
	}
	return nil
}

func (w *rewriter) text(kind markKind, text []byte, at parse.Pos, weight int) *parse.TextNode {
	if len(w.nodes) == 0 {
		w.nodes = make([]parse.TextNode, 32)
	}
	n := &w.nodes[0]
	w.nodes = w.nodes[1:]
	*n = parse.TextNode{NodeType: parse.NodeText, Pos: at, Text: w.src.mark(kind, text, at, weight)}
	return n
}

// list rewrites the nodes of a block and returns how deep they nest.
func (w *rewriter) list(l *parse.ListNode) int {
	if l == nil {
		return 0
	}
	deepest := 0
	out := make([]parse.Node, 0, len(l.Nodes)+len(l.Nodes)/2)
	for _, n := range l.Nodes {
		w.literals = 0
		var levels int
		switch n := n.(type) {
		case *parse.TextNode:
			n.Text = w.src.mark(textMark, n.Text, n.Pos, 0)
		case *parse.ActionNode:
			levels = w.pipe(n.Pipe)
			if len(n.Pipe.Decl) == 0 {
				out = append(out, w.text(placeMark, nil, n.Pos, 0))
				w.guard(n.Pipe, hiddenPrint)
			}
		case *parse.TemplateNode:
			levels = w.pipe(n.Pipe)
			out = append(out, w.text(placeMark, nil, n.Pos, 0))
			w.src.callsTpl = w.src.callsTpl || n.Name == tplName
		case *parse.IfNode:
			levels = w.branch(&n.BranchNode)
		case *parse.WithNode:
			levels = w.branch(&n.BranchNode)
		case *parse.RangeNode:
			levels = w.branch(&n.BranchNode)
			w.guardRange(n.Pipe)
			n.List.Nodes = append([]parse.Node{w.text(turnMark, nil, n.Pos, 0)}, n.List.Nodes...)
		}
		if w.literals > maxLiterals && w.excess == nil {
			w.excess = &LimitError{What: "literals in one action", Limit: size(maxLiterals),
				File: w.src.name, Line: w.src.line(int(n.Position()))}
		}
		out = append(out, n)
		deepest = max(deepest, levels+1)
	}
	l.Nodes = out
	return deepest
}

func (w *rewriter) branch(n *parse.BranchNode) int {
	return max(w.pipe(n.Pipe), w.list(n.List), w.list(n.ElseList))
}

// pipe rewrites a pipeline and returns how deep it nests.
func (w *rewriter) pipe(p *parse.PipeNode) int {
	if p == nil {
		return 0
	}
	deepest := 0
	cmds := make([]*parse.CommandNode, 0, len(p.Cmds)+1)
	for i, c := range p.Cmds {
		for j, arg := range c.Args {
			deepest = max(deepest, w.arg(arg))
			if j > 0 && counted(arg) {
				c.Args[j] = pipeline(hidden(hiddenField, arg.Position(), arg))
			}
		}
		switch {
		case !counted(c.Args[0]):
			cmds = append(cmds, c)
		case i == 0:
			cmds = append(cmds, hidden(hiddenCount, c.Pos, pipeline(c)))
		default:
			cmds = append(cmds, c, hidden(hiddenCount, c.Pos))
		}
	}
	p.Cmds = cmds
	return deepest + 1
}

func (w *rewriter) arg(n parse.Node) int {
	switch n := n.(type) {
	case *parse.PipeNode:
		return w.pipe(n) + 1
	case *parse.ChainNode:
		return w.arg(n.Node) + 1
	case *parse.StringNode:
		w.literals += len(n.Text)
	}
	return 0
}

// counted reports nodes that may be calls of countedMethods.
func counted(n parse.Node) bool {
	var names []string
	switch n := n.(type) {
	case *parse.FieldNode:
		names = n.Ident
	case *parse.VariableNode:
		names = n.Ident[1:]
	case *parse.ChainNode:
		names = n.Field
	}
	return len(names) > 0 && countedMethods[names[len(names)-1]]
}

// guard appends a hidden function, unless the pipeline can only give a
// scalar, which needs no guarding.
func (w *rewriter) guard(p *parse.PipeNode, name string) {
	if !w.scalar(p) {
		p.Cmds = append(p.Cmds, hidden(name, p.Pos))
	}
}

// guardRange puts the pipeline into the parentheses of a hidden function: an
// error about what cannot be walked quotes what was evaluated last.
func (w *rewriter) guardRange(p *parse.PipeNode) {
	if !w.scalar(p) {
		p.Cmds = []*parse.CommandNode{hidden(hiddenRange, p.Pos, pipeline(p.Cmds...))}
	}
}

func (w *rewriter) scalar(p *parse.PipeNode) bool {
	switch first := p.Cmds[len(p.Cmds)-1].Args[0].(type) {
	case *parse.IdentifierNode:
		return w.funcs.scalar[first.Ident]
	case *parse.StringNode, *parse.NumberNode, *parse.BoolNode, *parse.NilNode:
		return true
	}
	return false
}

func hidden(name string, at parse.Pos, args ...parse.Node) *parse.CommandNode {
	id := &parse.IdentifierNode{NodeType: parse.NodeIdentifier, Pos: at, Ident: name}
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: at, Args: append([]parse.Node{id}, args...)}
}

func pipeline(cmds ...*parse.CommandNode) *parse.PipeNode {
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: cmds[0].Pos, Cmds: cmds}
}

// unhide takes hidden functions out of an error that quotes a pipeline.
func unhide(text string) string {
	for _, name := range []string{hiddenPrint, hiddenCount} {
		text = strings.ReplaceAll(text, " | "+name, "")
	}
	for _, before := range []string{hiddenRange + " (", hiddenCount + " (", "(" + hiddenField + " "} {
		for i := strings.Index(text, before); i >= 0; i = strings.Index(text, before) {
			inner := text[i+len(before):]
			end := closing(inner)
			text = text[:i] + inner[:end] + strings.TrimPrefix(inner[end:], ")")
		}
	}
	return text
}

// closing returns where the parenthesis that was open before text closes.
func closing(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return i
			}
		case '"', '`':
			for i++; i < len(text) && text[i] != c; i++ {
				if c == '"' && text[i] == '\\' {
					i++
				}
			}
		}
	}
	return len(text)
}
