package engine

import (
	"fmt"
	"text/template"
)

// tplName is what Helm calls the text given to tpl, and the set of templates.
const tplName = "gotpl"

// maxSameName is how often Helm lets one name be included within itself.
const maxSameName = 1000

// include executes a named template and returns what it wrote.
func (r *run) include(name string, data any) (string, error) {
	if err := r.step(); err != nil {
		return "", err
	}
	if r.included[name] > maxSameName {
		return "", fmt.Errorf("rendering template has a nested reference name: %s: unable to execute template", name)
	}
	r.included[name]++
	text, err := r.call(r.named(name), name, data)
	r.included[name]--
	return text, err
}

func (r *run) named(name string) *template.Template {
	if name == tplName && r.tpl != nil {
		return r.tpl
	}
	return r.set.Lookup(name)
}

func (r *run) call(t *template.Template, name string, data any) (string, error) {
	if t == nil {
		return "", fmt.Errorf("template: no template %q associated with template %q", name, tplName)
	}
	s, err := r.execute(t, data)
	if err != nil {
		return "", r.shorten(err)
	}
	text := r.release(s)
	if c := r.caller(); c != nil && text != "" {
		c.heard(text, s.spans)
	}
	return r.str(text)
}

// evaluate is tpl: it executes a text as a template that sees all others, and
// whose own definitions only it and what it calls can see.
func (r *run) evaluate(text string, data any) (string, error) {
	if err := r.step(); err != nil {
		return "", err
	}
	if r.tpls >= r.lim.TplDepth {
		return "", r.exceeded("tpl calls nested in one another", count(r.lim.TplDepth))
	}
	if plain(text) {
		text, _ = dropNoValue(text, nil)
		return r.str(text)
	}
	src, err := r.engine.compile(tplName, text, r.lim)
	if limit, ok := err.(*LimitError); ok {
		return "", r.stop(limit)
	}
	if err != nil {
		return "", fmt.Errorf("cannot parse template %q: %w", clip(text), err)
	}
	r.sources[src.number] = src
	out, err := r.evaluateSource(src, data)
	if r.stopped != nil {
		return "", r.stopped
	}
	if err != nil {
		return "", r.shorten(fmt.Errorf("error during tpl function execution for %q: %w", clip(text), err))
	}
	return r.str(out)
}

func (r *run) evaluateSource(src *source, data any) (string, error) {
	set, tpl, callsTpl := r.set, r.tpl, r.callsTpl
	defer func() { r.set, r.tpl, r.callsTpl = set, tpl, callsTpl }()
	r.callsTpl = r.callsTpl || src.callsTpl

	var t *template.Template
	if len(src.trees) == 1 && !r.callsTpl {
		// Nothing but the text itself is defined, and only include can ask
		// for that: no need to copy the whole set, as Helm does.
		t = r.set.New(tplName)
		t.Tree = src.trees[tplName]
	} else {
		var err error
		if t, err = r.define(src); err != nil {
			return "", err
		}
	}
	r.tpl = t
	r.tpls++
	s, err := r.execute(t, data)
	r.tpls--
	if err != nil {
		return "", err
	}
	text, spans := dropNoValue(r.release(s), s.spans)
	if c := r.caller(); c != nil && text != "" {
		c.heard(text, spans)
	}
	return text, nil
}

// define copies the set of templates and adds those of src.
func (r *run) define(src *source) (*template.Template, error) {
	set, err := r.set.Clone()
	if err != nil {
		return nil, fmt.Errorf("cannot clone template: %w", err)
	}
	r.engine.setMissing(set)
	t := set.New(tplName)
	for _, tree := range sortedTrees(src.trees) {
		if _, err := t.AddParseTree(tree.Name, tree); err != nil {
			return nil, err
		}
	}
	r.set = set
	return t, nil
}

// plain reports texts without actions: most values given to tpl.
func plain(text string) bool {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '{' && text[i+1] == '{' {
			return false
		}
	}
	return true
}

// maxQuoted bounds the texts and errors that errors quote: each template that
// an error passes through quotes the whole chain again.
const maxQuoted = 64 << 10

func clip(text string) string {
	if len(text) <= maxQuoted {
		return text
	}
	return text[:maxQuoted] + "…"
}

// shortened is a long chain of errors with its middle left out.
type shortened struct {
	text string
	err  error
}

func (s *shortened) Error() string { return s.text }
func (s *shortened) Unwrap() error { return s.err }

// shorten keeps chains of errors from growing without bound, as they do where
// templates nest thousands deep.
func (r *run) shorten(err error) error {
	if r.stopped != nil {
		return r.stopped
	}
	text := err.Error()
	if len(text) <= 4*maxQuoted {
		return err
	}
	return &shortened{text: text[:2*maxQuoted] + " … " + text[len(text)-maxQuoted:], err: err}
}
