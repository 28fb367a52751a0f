package yamllint

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

func TestConfigsThatAreRefused(t *testing.T) {
	tests := []struct{ config, want string }{
		{"", "c: invalid config: not a mapping"},
		{"# nothing\n", "c: invalid config: not a mapping"},
		{"default", "c:1:1: invalid config: not a mapping"},
		{"[]", "c:1:1: invalid config: not a mapping"},
		{"rules: []", "c:1:8: invalid config: rules should be a mapping"},
		{"extends: default\nrules:\n", "c:3:1: invalid config: rules should be a mapping"},
		{"rules:\n  foo: enable\n", `c:2:3: invalid config: no such rule: "foo"`},
		{"rules: {bracket: enable}", `c:1:9: invalid config: no such rule: "bracket"; did you mean "brackets"?`},
		{"rules:\n  1: enable\n", `c:2:3: invalid config: no such rule: "1"`},
		{"rules: {? [a] : b}", "c:1:11: invalid config: found unhashable key"},
		{"rules:\n  braces: foo\n", `c:2:11: invalid config: rule "braces": should be either "enable", "disable" or a mapping`},
		{"rules: {braces: true}", `c:1:17: invalid config: rule "braces": should be either "enable", "disable" or a mapping`},
		{"rules: {braces: null}", `c:1:17: invalid config: rule "braces": should be either "enable", "disable" or a mapping`},
		{"rules: {braces: {foo: 1}}", `c:1:18: invalid config: unknown option "foo" for rule "braces"`},
		{"rules: {line-length: {maxx: 1}}", `c:1:23: invalid config: unknown option "maxx" for rule "line-length"; did you mean "max"?`},
		{"rules: {braces: {forbid: foo}}", `c:1:26: invalid config: option "forbid" of "braces" should be in (<class 'bool'>, 'non-empty')`},
		{"rules: {braces: {min-spaces-inside: a}}", `c:1:37: invalid config: option "min-spaces-inside" of "braces" should be int`},
		{"rules:\n  line-length:\n    max: 1.5\n", `c:3:10: invalid config: option "max" of "line-length" should be int`},
		{"rules: {line-length: {max: '80'}}", `c:1:28: invalid config: option "max" of "line-length" should be int`},
		{"rules: {line-length: {max: 080}}", `c:1:28: invalid config: option "max" of "line-length" should be int`},
		{"rules: {line-length: {max: [1]}}", `c:1:28: invalid config: option "max" of "line-length" should be int`},
		{"rules: {line-length: {level: foo}}", `c:1:30: invalid config: level should be "error" or "warning"`},
		{"rules: {line-length: {level: null}}", `c:1:30: invalid config: level should be "error" or "warning"`},
		{"rules: {line-length: {ignore: 3}}", "c:1:31: invalid config: ignore should contain file patterns"},
		{"rules: {line-length: {ignore: [3]}}", "c:1:31: invalid config: ignore should contain file patterns"},
		{"ignore: {a: b}", "c:1:9: invalid config: ignore should contain file patterns"},
		{"ignore: ['a\\']", `c:1:9: invalid config: file pattern "a\\" cannot be used`},
		{"{ignore: a, ignore-from-file: b}", "c:1:31: invalid config: ignore and ignore-from-file keys cannot be used together"},
		{"ignore-from-file: 3", "c:1:19: invalid config: ignore-from-file should contain filename(s), either as a list or string"},
		{"ignore-from-file: [3]", "c:1:19: invalid config: ignore-from-file should contain filename(s), either as a list or string"},
		{"ignore-from-file: none", "c:1:19: invalid config: cannot read the file of patterns: none: file does not exist"},
		{"yaml-files: a", "c:1:13: invalid config: yaml-files should be a list of file patterns"},
		{"yaml-files: [3]", "c:1:13: invalid config: yaml-files should be a list of file patterns"},
		{"locale: 3", "c:1:9: invalid config: locale should be a string"},
		{"locale: en_US.UTF-8", `c:1:9: invalid config: locale "en_US.UTF-8" is not supported: keys are ordered by code point; use C or leave it out`},
		{"extends: [default]", "c:1:10: invalid config: extends should be the name of a configuration: default, relaxed or a path"},
		{"extends: none", "c:1:10: invalid config: cannot read the configuration that it extends: none: file does not exist"},
		{"extends: self", "self:1:10: invalid config: configurations extend one another more than 16 deep"},
		{"extends: wrong", `wrong:2:11: invalid config: rule "braces": should be either "enable", "disable" or a mapping`},
		{"a: b: c", "c:1:5: invalid config: mapping values are not allowed here"},
		{"a: [", "c:1:5: invalid config: expected the node content, but found '<stream end>'"},
		{"a: \x01", "c:1:4: invalid config: special characters are not allowed"},
		{"a: *x", "c:1:4: invalid config: found undefined alias 'x'"},
		{"a: !x y", "c:1:4: invalid config: could not determine a constructor for the tag '!x'"},
		{"---\nextends: default\n---\na: b\n", "c:3:1: invalid config: expected a single document in the stream"},
		{"rules: {truthy: {allowed-values: [yes]}}", `c:1:34: invalid config: option "allowed-values" of "truthy" should only contain values in ['YES', 'Yes', 'yes', 'NO', 'No', 'no', 'TRUE', 'True', 'true', 'FALSE', 'False', 'false', 'ON', 'On', 'on', 'OFF', 'Off', 'off']`},
		{"rules: {indentation: {spaces: true}}", `c:1:31: invalid config: option "spaces" of "indentation" should be in (<class 'int'>, 'consistent')`},
		{"rules: {indentation: {indent-sequences: 1}}", `c:1:41: invalid config: option "indent-sequences" of "indentation" should be in (<class 'bool'>, 'whatever', 'consistent')`},
		{"rules: {new-lines: {type: mac}}", `c:1:27: invalid config: option "type" of "new-lines" should be in ('unix', 'dos', 'platform')`},
		{"rules: {document-start: {present: 1}}", `c:1:35: invalid config: option "present" of "document-start" should be bool`},
		{"rules: {quoted-strings: {required: foo}}", `c:1:36: invalid config: option "required" of "quoted-strings" should be in (True, False, 'only-when-needed')`},
		{"rules: {quoted-strings: {extra-required: [a]}}", `c:1:25: invalid config: quoted-strings: cannot use both "required: true" and "extra-required"`},
		{"rules: {quoted-strings: {extra-allowed: [a]}}", `c:1:25: invalid config: quoted-strings: cannot use both "required: true" and "extra-allowed"`},
		{"rules: {quoted-strings: {required: false, extra-allowed: [a]}}", `c:1:25: invalid config: quoted-strings: cannot use both "required: false" and "extra-allowed"`},
		{"rules: {quoted-strings: {extra-required: a}}", `c:1:42: invalid config: option "extra-required" of "quoted-strings" should only contain values in [<class 'str'>]`},
		{"rules: {quoted-strings: {required: false, extra-required: ['(']}}", "c:1:25: invalid config: option \"extra-required\" of \"quoted-strings\" has a regular expression that cannot be used: error parsing regexp: missing closing ): `(`"},
		{strings.Repeat("{a: ", 100) + "b" + strings.Repeat("}", 100), "c:1:258: invalid config: file is too large or nests too deep for a configuration"},
	}
	open := func(path string) ([]byte, error) {
		switch path {
		case "self":
			return []byte("extends: self\n"), nil
		case "wrong":
			return []byte("rules:\n  braces: 1\n"), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	for _, c := range tests {
		_, err := ParseConfig([]byte(c.config), "c", open)
		if err == nil {
			t.Errorf("%q is let pass, want %s", c.config, c.want)
			continue
		}
		if got := strings.Replace(err.Error(), "open ", "", 1); got != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.config, got, c.want)
		}
		var ce *ConfigError
		if !errors.As(err, &ce) {
			t.Errorf("%q: the error is no *ConfigError", c.config)
		}
	}
}

func TestConfigsThatAreUnderstood(t *testing.T) {
	text := []byte("a :  {  b: yes }\n")
	extended := "ignore: /a/\nyaml-files: ['*.foo']\nrules: {braces: {level: warning, ignore: w.yaml, max-spaces-inside: 5}, truthy: enable}\n"
	tests := []struct {
		config string
		want   []string
	}{
		{"rules: {}", nil},
		{"{foo: bar, rules: {}}", nil},
		{"rules: {truthy: false}", nil},
		{"rules: {truthy: enable, braces: disable}", []string{"1:12: truthy value should be one of [false, true] (truthy)"}},
		{"extends: relaxed\nrules: {colons: disable, braces: enable}", []string{"1:8: [warning] too many spaces inside braces (braces)"}},
		{"extends: relaxed\nrules: {colons: disable, braces: {level: error}}", []string{"1:8: too many spaces inside braces (braces)"}},
		{"extends: relaxed\nrules: {colons: {level: error}, braces: {max-spaces-inside: 0x2}, truthy: enable}", []string{
			"1:2: too many spaces before colon (colons)", "1:5: too many spaces after colon (colons)", "1:12: truthy value should be one of [false, true] (truthy)",
		}},
		{"extends: base", []string{"1:12: truthy value should be one of [false, true] (truthy)"}},
		{"extends: base\nrules: {braces: {max-spaces-inside: 1, ignore: ''}}", []string{
			"1:8: [warning] too many spaces inside braces (braces)", "1:12: truthy value should be one of [false, true] (truthy)",
		}},
		{"rules: &r {truthy: &t {level: warning}}\nother: *r", []string{"1:12: [warning] truthy value should be one of [false, true] (truthy)"}},
		{"x: &x {truthy: &t {level: warning}}\nrules: {<<: *x, braces: disable}", []string{"1:12: [warning] truthy value should be one of [false, true] (truthy)"}},
		{"x: &x {level: warning, check-keys: no}\nrules: {truthy: {<<: [*x, {level: error}], check-keys: true}}", []string{"1:12: [warning] truthy value should be one of [false, true] (truthy)"}},
		{"ignore:\n- &a q\n- *a\nrules:\n  truthy: &y\n    level: warning\n", []string{"1:12: [warning] truthy value should be one of [false, true] (truthy)"}},
		{"rules:\n  truthy:\n    allowed-values:\n    - 'yes'\n    - \"true\"\n", nil},
		{"rules: {braces: {min-spaces-inside: true, max-spaces-inside: -1}}", nil},
		{"rules: {truthy: {ignore: '*.yaml'}}", nil},
		{"rules: {truthy: {ignore-from-file: [ignored]}}", nil},
		{"rules: {truthy: disable, truthy: enable}", []string{"1:12: truthy value should be one of [false, true] (truthy)"}},
		{"locale: C.UTF-8\nrules: {truthy: {level: warning}}", []string{"1:12: [warning] truthy value should be one of [false, true] (truthy)"}},
	}
	open := func(path string) ([]byte, error) {
		return map[string][]byte{"base": []byte(extended), "ignored": []byte("# these\nw.yaml\n")}[path], nil
	}
	for _, c := range tests {
		cfg, err := ParseConfig([]byte(c.config), "c", open)
		if err != nil {
			t.Errorf("%q: %v", c.config, err)
			continue
		}
		if got := render(Lint(text, "x/w.yaml", cfg)); !slices.Equal(got, c.want) {
			t.Errorf("%q\n got %q\nwant %q", c.config, got, c.want)
		}
	}
	cfg, err := ParseConfig([]byte("extends: base"), "c", open)
	if err != nil {
		t.Fatal(err)
	}
	if !cfg.IgnoresFile("a/x.yaml") || cfg.IgnoresFile("b/a/x.yaml") {
		t.Error("the ignored files of the extended configuration do not count")
	}
	if cfg.IsYAMLFile("x.foo") || !cfg.IsYAMLFile("x.yaml") {
		t.Error("the YAML files of the extended configuration count")
	}
}

func TestFilePatterns(t *testing.T) {
	tests := []struct {
		patterns   string
		yes, avoid string
	}{
		{"*.yaml", "a.yaml x/a.yaml /a.yaml ./a.yaml a.yaml/b", "a.yml yaml"},
		{"/a.yaml", "a.yaml /a.yaml", "x/a.yaml"},
		{"a/", "a/b x/a/b", "a x/a"},
		{"/a/", "a/b a/b/c", "a x/a/b"},
		{"a/b", "a/b a/b/c", "x/a/b"},
		{"a/**", "a/b a/b/c", "a b/a/c"},
		{"**/b", "b a/b a/x/b b/c", "ab"},
		{"a/**/b", "a/b a/x/b a/x/y/b", "b a/c"},
		{"**/", "a/b a/b/c", "a"},
		{"**", "a a/b", ""},
		{"x/*", "x/a x/a/b", "x x/ y/x/a"},
		{"?.yaml", "a.yaml x/b.yaml", "ab.yaml"},
		{"[ab].yaml", "a.yaml b.yaml", "c.yaml"},
		{"[!a].yaml", "b.yaml", "a.yaml"},
		{"[a-c]", "a b c x/b", "d"},
		{"[a", "[a", "a"},
		{`\#x`, "#x", "x"},
		{"#x", "", "#x x"},
		{"*.yaml\n!a.yaml", "b.yaml", "a.yaml x/a.yaml"},
		{"!a.yaml\n*.yaml", "a.yaml b.yaml", ""},
		{"a.yaml  ", "a.yaml", "a.yml"},
		{"(a|b)+", "(a|b)+", "a ab"},
		{"\n\n/\n", "", "a a/b /"},
	}
	for _, c := range tests {
		p, err := newPatterns(strings.Split(c.patterns, "\n"))
		if err != nil {
			t.Errorf("%q: %v", c.patterns, err)
			continue
		}
		for _, path := range strings.Fields(c.yes) {
			if !p.match(path) {
				t.Errorf("%q does not match %q", c.patterns, path)
			}
		}
		for _, path := range strings.Fields(c.avoid) {
			if p.match(path) {
				t.Errorf("%q matches %q", c.patterns, path)
			}
		}
	}
}

func TestFindConfig(t *testing.T) {
	const one = "rules: {truthy: enable}\n"
	tests := []struct {
		name  string
		files string
		env   map[string]string
		want  string
	}{
		{"none", "", nil, ""},
		{"here", "/home/u/p/.yamllint /home/u/.yamllint", nil, "/home/u/p/.yamllint"},
		{"order", "/home/u/p/.yamllint.yml /home/u/p/.yamllint.yaml", nil, "/home/u/p/.yamllint.yaml"},
		{"above", "/home/u/.yamllint.yml", nil, "/home/u/.yamllint.yml"},
		{"not above home", "/home/.yamllint", nil, ""},
		{"environment", "/etc/lint", map[string]string{"YAMLLINT_CONFIG_FILE": "/etc/lint"}, "/etc/lint"},
		{"environment, relative", "/home/u/p/lint", map[string]string{"YAMLLINT_CONFIG_FILE": "lint"}, "/home/u/p/lint"},
		{"environment, home", "/home/u/lint", map[string]string{"YAMLLINT_CONFIG_FILE": "~/lint"}, "/home/u/lint"},
		{"folder before environment", "/etc/lint /home/u/p/.yamllint", map[string]string{"YAMLLINT_CONFIG_FILE": "/etc/lint"}, "/home/u/p/.yamllint"},
		{"user", "/home/u/.config/yamllint/config", nil, "/home/u/.config/yamllint/config"},
		{"user, moved", "/x/yamllint/config /home/u/.config/yamllint/config", map[string]string{"XDG_CONFIG_HOME": "/x"}, "/x/yamllint/config"},
	}
	for _, c := range tests {
		s := Search{Dir: "/home/u/p", Home: "/home/u", Getenv: func(k string) string { return c.env[k] }}
		s.Open = func(path string) ([]byte, error) {
			if slices.Contains(strings.Fields(c.files), path) {
				return []byte(one), nil
			}
			return nil, fs.ErrNotExist
		}
		cfg, path, err := FindConfig(s)
		if err != nil || path != c.want || (cfg != nil) != (c.want != "") {
			t.Errorf("%s: found %q, %v, want %q", c.name, path, err, c.want)
		}
	}

	s := Search{Dir: "/p", Open: func(path string) ([]byte, error) {
		switch path {
		case "/p/.yamllint":
			return []byte("extends: sub/base\n"), nil
		case "/p/sub/base":
			return []byte("rules: {foo: enable}\n"), nil
		}
		return nil, fs.ErrNotExist
	}}
	if _, _, err := FindConfig(s); err == nil || err.Error() != `sub/base:1:9: invalid config: no such rule: "foo"` {
		t.Errorf("extending a file: %v", err)
	}
	s.Open = func(string) ([]byte, error) { return nil, fs.ErrPermission }
	if _, _, err := FindConfig(s); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}
