package yamllint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestSyntaxErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"a: b: c\n", "1:5 mapping values are not allowed here"},
		{"a: - b\n", "1:4 sequence entries are not allowed here"},
		{"|\n a\n? b\n", "3:1 expected '<document start>', but found '<block mapping start>'"},
		{"a: ? b\n", "1:4 mapping keys are not allowed here"},
		{"- a\nb: c\n", "2:1 expected <block end>, but found '?'"},
		{"a:\n  - b\n - c\n", "3:2 expected <block end>, but found '<block sequence start>'"},
		{"a: 1\n b: 2\n", "2:3 mapping values are not allowed here"},
		{"a: 1\nb\nc: 3\n", "3:1 could not find expected ':'"},
		{"[a, b\n", "2:1 expected ',' or ']', but got '<stream end>'"},
		{"{a, b]\n", "1:6 expected ',' or '}', but got ']'"},
		{"a: [\n", "2:1 expected the node content, but found '<stream end>'"},
		{"]\n", "1:1 expected the node content, but found ']'"},
		{"a: \"b\n", "2:1 found unexpected end of stream"},
		{"a: 'b\n---\n", "2:1 found unexpected document separator"},
		{"a: \"\\q\"\n", "1:6 found unknown escape character 'q'"},
		{"a: \"\\x4\"\n", `1:7 expected escape sequence of 2 hexadecimal numbers, but found '"'`},
		{"a: \"\\u12'4\"\n", `1:7 expected escape sequence of 4 hexadecimal numbers, but found "'"`},
		{"a: \"\\U00110000\"\n", "1:7 escape sequence stands for no character"},
		{"a: @b\n", "1:4 found character '@' that cannot start any token"},
		{"a: %b\n", "1:4 found character '%' that cannot start any token"},
		{"\ta: b\n", `1:1 found character '\t' that cannot start any token`},
		{"a:\n\t- b\n", `2:1 found character '\t' that cannot start any token`},
		{"&: a\n", "1:2 expected alphabetic or numeric character, but found ':'"},
		{"*a.b\n", "1:3 expected alphabetic or numeric character, but found '.'"},
		{"!<a\n", `1:4 expected '>', but found '\n'`},
		{"!a{b\n", "1:3 expected ' ', but found '{'"},
		{"!a!\n", `1:4 expected URI, but found '\n'`},
		{"!a%4 b\n", "1:4 expected URI escape sequence of 2 hexadecimal numbers, but found ' '"},
		{"!a%ff b\n", "1:3 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"},
		{"!a%c3%28 b\n", "1:3 'utf-8' codec can't decode byte 0xc3 in position 0: invalid continuation byte"},
		{"!a%e2%82 b\n", "1:3 'utf-8' codec can't decode bytes in position 0-1: unexpected end of data"},
		{"!e!a b\n", "1:1 found undefined tag handle '!e!'"},
		{"%YAML 2.0\n---\na\n", "1:1 found incompatible YAML document (version 1.* is required)"},
		{"%YAML 1.1\n%YAML 1.1\n---\na\n", "2:1 found duplicate YAML directive"},
		{"%YAML 1\n", `1:8 expected a digit or '.', but found '\n'`},
		{"%YAML a\n", "1:7 expected a digit, but found 'a'"},
		{"%YAML 1.1x\n", "1:10 expected a digit or ' ', but found 'x'"},
		{"%YAML 1.1 x\n", "1:11 expected a comment or a line break, but found 'x'"},
		{"%\n", `1:2 expected alphabetic or numeric character, but found '\n'`},
		{"%TAG a b\n", "1:6 expected '!', but found 'a'"},
		{"%TAG ! a\n%TAG ! b\n---\nc\n", "2:1 duplicate tag handle '!'"},
		{"%YAML 1.1\na\n", "2:1 expected '<document start>', but found '<scalar>'"},
		{"a: |0\n", "1:5 expected indentation indicator in the range 1-9, but found 0"},
		{"a: |x\n", "1:5 expected chomping or indentation indicators, but found 'x'"},
		{"a: | x\n", "1:6 expected a comment or a line break, but found 'x'"},
		{"a\n...\nb\n", "3:1 expected '<document start>', but found '<scalar>'"},
		{"a: b\n\x01", "2:1 special characters are not allowed"},
		{"a: \u0084", "1:4 special characters are not allowed"},
		{"a: é\xff\n", "1:5 'utf-8' codec can't decode byte 0xff in position 5: invalid start byte"},
		{"a: \xed\xa0\x80\n", "1:4 'utf-8' codec can't decode byte 0xed in position 3: invalid continuation byte"},
		{"a: \xf0\x9f", "1:4 'utf-8' codec can't decode bytes in position 3-4: unexpected end of data"},
	}
	cfg, err := ParseConfig([]byte("rules: {}"), "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range tests {
		var got []string
		for _, p := range Lint([]byte(c.text), "x.yaml", cfg) {
			got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, strings.TrimPrefix(p.Message, "syntax error: ")))
			if p.Rule != SyntaxRule || p.Level != Error || !strings.HasPrefix(p.Message, "syntax error: ") {
				t.Errorf("%q: %+v is not reported as a syntax error", c.text, p)
			}
		}
		if !slices.Equal(got, []string{c.want}) {
			t.Errorf("%q\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func TestEncodings(t *testing.T) {
	const text = "é: \"\U0001F600\"  \r\nb :  1\n"
	wide := func(order binary.AppendByteOrder, size int, bom bool) []byte {
		s := text[len("é"):] // without a mark, a text has to start with ASCII
		if bom {
			s = "\uFEFF" + text
		} else {
			s = "e" + s
		}
		var out []byte
		if size == 4 {
			for _, r := range s {
				out = order.AppendUint32(out, uint32(r))
			}
			return out
		}
		for _, u := range utf16.Encode([]rune(s)) {
			out = order.AppendUint16(out, u)
		}
		return out
	}
	want := []string{"1:7: trailing spaces (trailing-spaces)", "2:2: too many spaces before colon (colons)", "2:5: too many spaces after colon (colons)"}
	cfg, err := ParseConfig([]byte("rules: {trailing-spaces: enable, colons: enable, new-line-at-end-of-file: enable}"), "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"utf-8": []byte(text), "utf-8 with mark": []byte("\uFEFF" + text),
		"utf-16-le": wide(binary.LittleEndian, 2, false), "utf-16-be": wide(binary.BigEndian, 2, false),
		"utf-16-le with mark": wide(binary.LittleEndian, 2, true), "utf-16-be with mark": wide(binary.BigEndian, 2, true),
		"utf-32-le": wide(binary.LittleEndian, 4, false), "utf-32-be": wide(binary.BigEndian, 4, false),
		"utf-32-le with mark": wide(binary.LittleEndian, 4, true), "utf-32-be with mark": wide(binary.BigEndian, 4, true),
	} {
		if got := render(Lint(data, "x.yaml", cfg)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q", name, got)
		}
	}
	for _, c := range []struct {
		data []byte
		want string
	}{
		{[]byte("\xff\xfea\x00\n\x00b"), "2:1: syntax error: 'utf-16' codec can't decode bytes: truncated data (syntax)"},
		{[]byte("\xff\xfea\x00\x00\xd8b\x00"), "1:2: syntax error: 'utf-16' codec can't decode bytes: illegal encoding (syntax)"},
		{[]byte("\x00\x00\xfe\xff\x7f\x00\x00\x00"), "1:1: syntax error: 'utf-32' codec can't decode bytes: illegal encoding (syntax)"},
		{[]byte("a: \x00"), "1:4: syntax error: special characters are not allowed (syntax)"},
	} {
		if got := render(Lint(c.data, "x.yaml", cfg)); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%q: got %q, want %q", c.data, got, c.want)
		}
	}
}

// TestValues compares what scalars say with what YAML's specification and PyYAML make of them.
func TestValues(t *testing.T) {
	tests := []struct{ text, want string }{
		{"a b", "a b"},
		{"a\n  b\n\n\n  c", "a b\n\nc"},
		{"'it''s'", "it's"},
		{"'a  \n\t b\n\n c'", "a b\nc"},
		{`"\x41\u00e9\U0001F600\t\"\\\/\e\0\N\_\L\P\ "`, "A\u00e9\U0001F600\t\"\\/\x1b\x00\u0085\u00a0\u2028\u2029 "},
		{"\"a\\\n  b\"", "ab"},
		{"\"a\\\n\n  b\"", "a\nb"},
		{"\"a \\\n  \\ b\"", "a  b"},
		{"\"a\u2028b\"", "a\u2028b"},
		{"|\n  a\n   b\n\n", "a\n b\n"},
		{"|-\n  a\n\n", "a"},
		{"|+\n  a\n\n", "a\n\n"},
		{"|2 # c+\n   a\n", " a\n"},
		{">\n  a\n  b\n\n  c\n   d\n  e\n", "a b\nc\n d\ne\n"},
		{">-\n\n  a\n", "\na"},
		{"|", ""},
		{"|\r\n  a\r\n", "a\n"},
	}
	for _, c := range tests {
		s := newScanner([]byte(c.text))
		var tok Token
		found := false
		for s.next(&tok) {
			if tok.Kind == Scalar {
				found = true
				if got := string(scalarValue(s.text, &tok)); got != c.want {
					t.Errorf("%q is %q, want %q", c.text, got, c.want)
				}
			}
		}
		if !found {
			t.Errorf("%q: no scalar, %v", c.text, s.err)
		}
	}
}

func TestTokens(t *testing.T) {
	tests := []struct{ text, want string }{
		{"a: b\n", "<stream start>0:0-0:0 <block mapping start>0:0-0:0 ?0:0-0:0 <scalar>0:0-0:1 :0:1-0:2 <scalar>0:3-0:4 <block end>1:0-1:0 <stream end>1:0-1:0"},
		{"- &x !t é\n", "<stream start>0:0-0:0 <block sequence start>0:0-0:0 -0:0-0:1 <anchor>0:2-0:4 <tag>0:5-0:7 <scalar>0:8-0:9 <block end>1:0-1:0 <stream end>1:0-1:0"},
		{"[*x , {? a}]", "<stream start>0:0-0:0 [0:0-0:1 <alias>0:1-0:3 ,0:4-0:5 {0:6-0:7 ?0:7-0:8 <scalar>0:9-0:10 }0:10-0:11 ]0:11-0:12 <stream end>0:12-0:12"},
		{"%YAML 1.1 # c\n--- |\n x\n\n...\n", "<stream start>0:0-0:0 <directive>0:0-0:9 <document start>1:0-1:3 <scalar>1:4-4:0 <document end>4:0-4:3 <stream end>5:0-5:0"},
		{"a\r\nb\u0085c\rd", "<stream start>0:0-0:0 <scalar>0:0-3:1 <stream end>3:1-3:1"},
	}
	for _, c := range tests {
		var got []string
		s := newScanner([]byte(c.text))
		var tok Token
		for s.next(&tok) {
			got = append(got, fmt.Sprintf("%s%d:%d-%d:%d", tok.Kind, tok.Start.Line, tok.Start.Column, tok.End.Line, tok.End.Column))
		}
		if s.err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: %v\n got %s\nwant %s", c.text, s.err, strings.Join(got, " "), c.want)
		}
	}
}

// TestDepthIsBounded shows that nesting is limited by an error rather than by memory.
func TestDepthIsBounded(t *testing.T) {
	for _, unit := range []string{"[", "{a: ", "- "} {
		got := Lint(bytes.Repeat([]byte(unit), maxDepth+10), "x.yaml", ForCharts())
		found := slices.ContainsFunc(got, func(p Problem) bool { return p.Message == "syntax error: collections nest too deep" })
		if !found {
			t.Errorf("%q: %d problems and no word of the depth", unit, len(got))
		}
	}
}

// TestProblemsAreBounded shows that a text cannot make any number of problems.
func TestProblemsAreBounded(t *testing.T) {
	cfg, err := ParseConfig([]byte("rules: {trailing-spaces: enable}"), "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := Lint(bytes.Repeat([]byte(" \n"), maxProblems+10), "x.yaml", cfg)
	if len(got) != maxProblems+1 || got[maxProblems].Message != "more than 1000000 problems, the rest is left out" {
		t.Errorf("%d problems, the last is %+v", len(got), got[len(got)-1])
	}
}
