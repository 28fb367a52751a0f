package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// loop doubles $s n times.
func loop(n int, body string) string {
	return fmt.Sprintf("\n{{ $s := \"xy\" }}{{ range until %d }}\n{{ $s = %s }}{{ end }}{{ $s | len }}", n, body)
}

// ring is a list of maps that contain each other.
const ring = "\n{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"self\" $d }}\n"

// fan is a map of 2^60 leaves in 60 maps.
const fan = "\n{{ $d := dict \"a\" 1 }}{{ range until 60 }}{{ $d = dict \"l\" $d \"r\" $d }}{{ end }}\n"

// chain nests deeper than any encoder should follow.
const chain = "\n{{ $d := dict }}{{ range until 20000 }}{{ $d = dict \"d\" $d }}{{ end }}\n"

func hostile() map[string]string {
	out := map[string]string{
		"range over an int":       "a\n{{ range 1000000000000 }}{{ end }}",
		"until":                   "\n{{ until 2000000000 }}",
		"untilStep that wraps":    "\n{{ untilStep 0 9223372036854775807 4611686018427387905 | len }}{{ untilStep -9223372036854775807 9223372036854775807 1 }}",
		"seq":                     "\n{{ seq 1 2000000000 }}",
		"silent loops":            "\n{{ range until 100000 }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}",
		"loops that continue":     "\n{{ range until 100000 }}{{ range until 100000 }}{{ continue }}{{ end }}{{ end }}",
		"gigabytes of text":       "\n{{ range until 1000000 }}{{ range until 1000 }}" + strings.Repeat("x", 4000) + "{{ end }}{{ end }}",
		"gigabytes of values":     "\n{{ $s := repeat 1000000 \"x\" }}{{ range until 100000 }}{{ $s }}{{ end }}",
		"repeat":                  "\n{{ repeat 9223372036854775807 \"xx\" }}",
		"repeat, not overflowing": "\n{{ repeat 2000000000 \"x\" }}",
		"indent":                  "\n{{ indent 2000000000 \"x\" }}",
		"nindent":                 "\n{{ repeat 1000000 \"\\n\" | nindent 1000000 }}",
		"replace":                 "\n{{ $s := repeat 100000 \"x\" }}{{ replace \"x\" $s $s }}",
		"replace nothing":         "\n{{ $s := repeat 100000 \"x\" }}{{ replace \"\" $s $s }}",
		"join":                    "\n{{ join (repeat 1000000 \"x\") (until 100000) }}",
		"printf width":            "\n{{ printf (repeat 1000 \"%999999d\") 1 }}",
		"printf star":             "\n{{ printf (repeat 100 \"%[1]*[1]d\") 999999 }}",
		"printf again and again":  "\n{{ printf (repeat 100000 \"%[1]s\") (repeat 10000 \"x\") }}",
		"printf precision":        "\n{{ printf (repeat 1000 \"%.999999f\") 1.5 }}",
		"randAlpha":               "\n{{ randAlpha 2000000000 }}",
		"randBytes":               "\n{{ randBytes 2000000000 }}",
		"split":                   "\n{{ split \"\" (repeat 10000000 \"x\") | len }}",
		"splitList":               "\n{{ splitList \"\" (repeat 10000000 \"x\") | len }}",
		"regexReplaceAll":         "\n{{ regexReplaceAll \"x\" (repeat 10000 \"x\") (repeat 10000 \"y\") }}",
		"regexReplaceAll groups":  "\n{{ regexReplaceAll \"x+\" (repeat 1000000 \"x\") (repeat 100 \"$0\") }}",
		"regexFindAll, quadratic": "\n{{ regexFindAll \"(x*y)?\" (repeat 1000000 \"x\") -1 | len }}",
		"regex, large program":    "\n{{ regexMatch \"((((x{10}){10}){10}.*)*z)+$\" (repeat 10000000 \"x\") }}",
		"semver":                  "\n{{ semverCompare (repeat 1000000 \">=1.2.3 || \") \"1.2.3\" }}",
		"merge of rings":          ring + "{{ $e := dict }}{{ $_ := set $e \"self\" $e }}{{ merge $d $e | len }}",
		"clock that doubles":      "\n{{ $s := \"1\" }}{{ $t := toDate \"2006-01-02\" \"2011-11-11\" }}{{ range until 64 }}{{ $s = $t.Format $s }}{{ end }}{{ len $s }}",
		"lists kept":              "\n{{ $l := list }}{{ range until 4000 }}{{ $l = append $l (repeat 10000000 \"x\") }}{{ end }}",
		"lists that double":       "\n{{ $l := list 1 2 }}{{ range until 64 }}{{ $l = concat $l $l }}{{ end }}",
		"files kept":              "\n{{ $l := list }}{{ range until 1000000 }}{{ $l = append $l ($.Files.Get \"big\") }}{{ end }}",
		"lines kept":              "\n{{ $l := list }}{{ range until 1000000 }}{{ $l = append $l ($.Files.Lines \"big\") }}{{ end }}",
		"Values.YAML":             "\n{{ $_ := set .Values \"self\" .Values }}{{ .Values.YAML }}",
		"dot.YAML":                fan + "{{ $_ := set .Values \"d\" $d }}{{ .Values.YAML }}",
		"tpl of itself":           "\n{{ $_ := set .Values \"t\" \"{{ tpl .Values.t . }}\" }}{{ tpl .Values.t . }}",
		"tpl that includes tpl":   "\n{{ tpl \"x{{ tpl (print `{{ include \\\"gotpl\\\" . }}`) . }}\" . }}",
		"many blocks":             strings.Repeat("{{if 1}}", 100_000) + strings.Repeat("{{end}}", 100_000),
		"long else if":            "{{if 1}}" + strings.Repeat("{{else if 1}}", 100_000) + "{{end}}",
		"many variables":          strings.Repeat("{{$a:=1}}", 200_000) + strings.Repeat("{{$a}}", 200_000),
		"large template":          "\n" + strings.Repeat("x", 6<<20),
		"large tpl":               "\n{{ tpl (repeat 6000000 \"x{{ 1 }}\" ) . }}",
		"toml brackets":           "\n{{ fromToml (print \"a = \" (repeat 5000000 \"[\")) | len }}",
		"large fromYaml":          "\n{{ fromYaml (repeat 10000000 \"- a\\n\") | len }}",
		"glob":                    "\n{{ .Files.Glob (repeat 100 \"*a\") | len }}",
		"decimal":                 "\n{{ mulf 1.1 " + strings.Repeat("1.000000001 ", 5000) + "}}",
		"exponential calls":       "{{ define \"b\" }}{{ if gt . 0 }}{{ template \"b\" (sub . 1) }}{{ template \"b\" (sub . 1) }}{{ end }}{{ end }}\n{{ template \"b\" 60 }}",
		"template in itself":      "{{ define \"t\" }}{{ template \"t\" . }}{{ end }}\n{{ template \"t\" . }}",
		"deep parentheses":        "{{ define \"p\" }}{{ " + strings.Repeat("(", 9000) + "include \"p\" ." + strings.Repeat(")", 9000) + " }}{{ end }}\n{{ include \"p\" . }}",
		"deep blocks":             "{{ define \"p\" }}" + strings.Repeat("{{if 1}}", 9000) + "{{ include \"p\" . }}" + strings.Repeat("{{end}}", 9000) + "{{ end }}\n{{ include \"p\" . }}",
		"long literals":           "\n{{ len \"" + strings.Repeat("x", 2<<20) + "\" }}",
		"quotes of quotes":        loop(100, "quote $s"),
		"range over a ring":       ring + "{{ range $k, $v := $d }}{{ $v }}{{ end }}",
		"date layout":             loop(100, "now | date (print $s $s)"),
	}
	for _, f := range []string{"print $s $s", "printf \"%s%s\" $s $s", "cat $s $s", "list $s $s | join \"\"", "replace \"x\" (print $s $s) $s",
		"print (js $s) (html $s)", "toJson (list $s $s)", "toYaml (dict \"a\" $s \"b\" $s)", "b64enc (b64enc $s)", "indent 9 (print $s \"\\n\" $s)", "tpl (print $s $s) $",
		"regexReplaceAll \"$\" $s $s", "wrapWith 1 $s $s", "squote $s $s", "println $s $s", "urlquery $s $s", "toToml (dict \"a\" $s \"b\" $s)", "regexQuoteMeta (print $s \".\" $s)"} {
		out["doubling: "+f] = loop(400, f)
	}
	for _, f := range []string{"print", "println", "printf \"%v\"", "quote", "squote", "cat", "html", "js", "urlquery", "toYaml", "toYamlPretty", "toJson", "toRawJson", "toPrettyJson",
		"toToml", "mustToJson", "mustToRawJson", "mustToPrettyJson", "deepCopy", "mustDeepCopy", "toString", "toStrings", "join \",\"", "add 1", "int", "float64", "sortAlpha",
		"max 1", "floor", "addf 1.0", "toDecimal", "deepEqual (dict)", "has 1", "list | quote", "eq (dict)", "date \"2006\"", "duration", "atoi", "dict", "ago", "round 1", "uniq", "without (list 1)",
		"tpl \"{{ . }}\"", "default (dict) | print", "values | print"} {
		for name, value := range map[string]string{"ring": ring, "fan": fan, "chain": chain} {
			out[name+": "+f] = value + "{{ $d | " + f + " }}"
		}
	}
	for name, value := range map[string]string{"ring": ring, "fan": fan, "chain": chain} {
		out[name+": printed"] = value + "{{ $d }}"
		out[name+": printed through with"] = value + "{{ with $d }}{{ . }}{{ end }}"
		out[name+": printed by template"] = value + "{{ template \"show\" $d }}{{ define \"show\" }}{{ . }}{{ end }}"
		out[name+": compared"] = value + "{{ eq $d (list) }}{{ eq $d $d }}"
	}
	// Names are counted one by one: many of them nest deeper than the stack.
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "{{ define \"n%d\" }}{{ include \"n%d\" . }}{{ end }}", i, (i+1)%1000)
	}
	out["mutual recursion"] = many.String() + "\n{{ include \"n0\" . }}"
	return out
}

// TestHostile renders templates that would keep Helm busy for ever, eat its
// memory, or overflow its stack, which no Go program survives. Each ends in an
// error, quickly, and nearly all errors are limits.
func TestHostile(t *testing.T) {
	big := strings.Repeat("line\n", 1<<18)
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			c := chartOf(map[string]string{"templates/x.yaml": text, "big": big, strings.Repeat("a", 200): ""})
			start := time.Now()
			_, err := execute(t.Context(), New(Options{Seed: "s", Limits: Limits{Iterations: 100_000, Memory: 32 << 20, String: 1 << 20}}), c, map[string]any{})
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			var te *TemplateError
			if err == nil {
				// Functions that do not look into what they are given, or
				// refuse it by its type, have nothing to fear from it.
				if !strings.HasPrefix(name, "ring: ") && !strings.HasPrefix(name, "fan: ") && !strings.HasPrefix(name, "chain: ") {
					t.Error("rendered")
				}
				return
			}
			if !errors.As(err, &te) {
				t.Fatalf("no TemplateError: %v", err)
			}
			if te.File != "c/templates/x.yaml" || te.Line == 0 {
				t.Errorf("at %s:%d: %.300v", te.File, te.Line, err)
			}
			if len(err.Error()) > 1<<20 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

// TestLimitPlace checks that limits name the line that exceeded them.
func TestLimitPlace(t *testing.T) {
	for text, want := range map[string]int{
		"a\n\n{{ range until 100000 }}\n{{ range until 100000 }}{{ end }}{{ end }}":            4,
		"a\n{{ $x := repeat 2000000000 \"x\" }}":                                               2,
		"a\n{{ if repeat 2000000000 \"x\" }}{{ end }}":                                         2,
		"{{ define \"h\" }}\n{{ repeat 2000000000 \"x\" }}{{ end }}\n\n{{ include \"h\" . }}":  4,
		"{{ define \"h\" }}\n{{ repeat 2000000000 \"x\" }}{{ end }}\n\n{{ template \"h\" . }}": 2,
	} {
		_, err := renderOne(t, Options{}, text, nil)
		var l *LimitError
		if !errors.As(err, &l) || l.Line != want || l.File != "c/templates/x.yaml" {
			t.Errorf("%q: %+v, want line %d", text, l, want)
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for name, text := range map[string]string{
		"loop":     "\n{{ range 100000000000 }}{{ end }}",
		"template": "{{ define \"t\" }}{{ range until 1000 }}{{ include \"t\" $ }}{{ end }}{{ end }}{{ template \"t\" . }}",
		"regex":    "\n{{ regexFindAll \"(x*y)?\" (repeat 500000 \"x\") -1 | len }}",
	} {
		start := time.Now()
		_, err := execute(ctx, New(Options{Limits: Limits{Iterations: 1 << 40}}), chartOf(map[string]string{"templates/x.yaml": text}), nil)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

func TestTimeLimit(t *testing.T) {
	_, err := renderOne(t, Options{Limits: Limits{Time: 20 * time.Millisecond, Iterations: 1 << 40}}, "\n{{ range 100000000000 }}{{ end }}", nil)
	var l *LimitError
	if !errors.As(err, &l) || !strings.Contains(err.Error(), "20ms") || l.Line != 2 {
		t.Errorf("%v", err)
	}
}
