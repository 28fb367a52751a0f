package yamllint

import (
	"slices"
	"strings"
)

// rules reads the key "rules".
func (p *configParser) rules(n *node) error {
	if n.kind != mappingNode {
		return p.fail(n, "rules should be a mapping")
	}
	known := Rules()
	for i, key := range n.keys {
		if key.kind != scalarNode {
			return p.fail(key, "found unhashable key")
		}
		at := slices.IndexFunc(known, func(r *Rule) bool { return r.Name == key.text })
		if at < 0 {
			return p.fail(key, "no such rule: %q%s", key.text, suggestion(key.text, ruleNames(known)))
		}
		if err := p.rule(known[at], n.items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *configParser) rule(rule *Rule, n *node) error {
	rc := p.cfg.find(rule)
	if n.kind != mappingNode {
		switch n.value() {
		case "disable", false:
			*rc = ruleConfig{rule: rule}
			return nil
		case "enable":
			n = &node{kind: mappingNode, mark: n.mark}
		default:
			return p.fail(n, `rule "%s": should be either "enable", "disable" or a mapping`, rule.Name)
		}
	}
	if !rc.enabled {
		rc.enabled, rc.options = true, rule.defaults()
	}
	ignore, err := p.ignore(n)
	if err != nil {
		return err
	}
	if ignore != nil {
		rc.ignore = ignore
	}
	if level := n.get("level"); level != nil {
		switch level.value() {
		case "error":
			rc.level = Error
		case "warning":
			rc.level = Warning
		default:
			return p.fail(level, `level should be "error" or "warning"`)
		}
	}
	return p.options(rc, n)
}

func (r *Rule) defaults() options {
	o := make(options, len(r.Options))
	for i := range r.Options {
		o[r.Options[i].Name] = r.Options[i].Default
	}
	return o
}

func (p *configParser) options(rc *ruleConfig, n *node) error {
	o := make(options, len(rc.options))
	for name, value := range rc.options {
		o[name] = value
	}
	for i, key := range n.keys {
		switch key.text {
		case "level", "ignore", "ignore-from-file":
			continue
		}
		at := slices.IndexFunc(rc.rule.Options, func(o Option) bool { return key.kind == scalarNode && o.Name == key.text })
		if at < 0 {
			return p.fail(key, `unknown option "%s" for rule "%s"%s`, key.text, rc.rule.Name, suggestion(key.text, rc.rule.optionNames()))
		}
		opt := &rc.rule.Options[at]
		value, want := opt.Type.read(n.items[i])
		if want != "" {
			return p.fail(n.items[i], `option "%s" of "%s" should %s`, opt.Name, rc.rule.Name, want)
		}
		o[opt.Name] = value
	}
	rc.options = o
	if rc.rule.conflict != nil {
		if reason := rc.rule.conflict(o); reason != "" {
			return p.fail(n, "%s", reason)
		}
	}
	return nil
}

// read returns the value of an option, or what it should be.
func (t Type) read(n *node) (value any, want string) {
	if t.List {
		return t.readList(n)
	}
	v := n.value()
	switch x := v.(type) {
	case bool:
		if t.Bool {
			return x, ""
		}
		if t.Int && t.Enum == nil { // a Python bool is an int
			return map[bool]int{true: 1}[x], ""
		}
	case int:
		if t.Int {
			return x, ""
		}
	case string:
		if t.String || slices.Contains(t.Enum, x) {
			return x, ""
		}
	}
	return nil, "be " + t.describe()
}

func (t Type) readList(n *node) (any, string) {
	list, ok := stringList(n)
	for _, s := range list {
		ok = ok && (t.String || slices.Contains(t.Enum, s))
	}
	if ok {
		return list, ""
	}
	if t.String {
		return nil, "only contain values in [<class 'str'>]"
	}
	return nil, "only contain values in [" + quoteAll(t.Enum) + "]"
}

// describe names the type as yamllint does.
func (t Type) describe() string {
	var kinds []string
	if t.Bool {
		kinds = append(kinds, "bool")
	}
	if t.Int {
		kinds = append(kinds, "int")
	}
	switch {
	case t.Enum == nil:
		return kinds[0]
	case t.Spelled:
		return "in (True, False, " + quoteAll(t.Enum) + ")"
	case len(kinds) == 0:
		return "in (" + quoteAll(t.Enum) + ")"
	}
	return "in (<class '" + kinds[0] + "'>, " + quoteAll(t.Enum) + ")"
}

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + w + "'"
	}
	return strings.Join(quoted, ", ")
}

func ruleNames(rules []*Rule) []string {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = r.Name
	}
	return names
}

func (r *Rule) optionNames() []string {
	names := make([]string, len(r.Options))
	for i := range r.Options {
		names[i] = r.Options[i].Name
	}
	return names
}
