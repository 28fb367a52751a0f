package yamllint

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

func TestZZDump(t *testing.T) {
	in, err := os.Open("/tmp/yl/in.jsonl")
	if err != nil {
		t.Skip()
	}
	out, _ := os.Create("/tmp/yl/go.txt")
	w := bufio.NewWriter(out)
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 1<<28)
	for sc.Scan() {
		var s string
		json.Unmarshal(sc.Bytes(), &s)
		text := []byte(s)
		s1 := newScanner(text)
		p := &parser{}
		var tok Token
		for s1.next(&tok) {
			fmt.Fprintf(w, "%s %d:%d-%d:%d|", tok.Kind, tok.Start.Line, tok.Start.Column, tok.End.Line, tok.End.Column)
			if p.err == nil {
				p.feed(&tok, text)
			}
		}
		if s1.err != nil {
			fmt.Fprintf(w, "ERR %s %d:%d", s1.err.Problem, s1.err.Mark.Line, s1.err.Mark.Column)
		}
		e := p.err
		if e == nil {
			e = s1.err
		}
		if e != nil {
			fmt.Fprintf(w, " PARSE %s %d:%d", e.Problem, e.Mark.Line, e.Mark.Column)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}
