package engine

// sink is what one execution of a template writes to. It is the io.Writer of
// text/template, which calls it for each text node and each printed value, and
// so learns of marks on the way.
type sink struct {
	run   *run
	buf   []byte
	spans []span
	level int   // templates entered in this sink and not yet left
	top   *mark // the last text or action of the outermost template
	at    *mark // the last text or action of whatever template is executing
	calls []*passage
}

// span says who wrote the bytes up to end, from the end of the span before.
type span struct {
	end   int32
	top   *mark
	at    *mark
	calls []*passage // the includes that the action at made before it printed
}

// passage is what an include or tpl returned, with its own spans.
type passage struct {
	text  string
	spans []span
}

// maxSpans bounds the memory that a tight loop's spans take; what is written
// beyond is put down to the last one.
const maxSpans = 500_000

// maxPassages bounds the bytes of passages that one render keeps.
const maxPassages = 32 << 20

// Write takes a text node or a printed value.
func (s *sink) Write(p []byte) (int, error) {
	m := s.run.lookup(p)
	if m == nil {
		return len(p), s.emit(p, nil)
	}
	switch m.kind {
	case textMark:
		s.place(m)
		s.calls = nil
		return len(p), s.emit(p, m)
	case placeMark:
		s.place(m)
		s.calls = nil
		return 0, s.run.step()
	case turnMark:
		s.place(m)
		return 0, s.run.turn()
	case enterMark:
		s.level++
		return 0, s.run.enter(int(m.weight))
	default:
		s.level--
		s.run.leave(int(m.weight))
		return 0, nil
	}
}

func (s *sink) place(m *mark) {
	s.at = m
	if s.level <= 1 {
		s.top = m
	}
}

func (s *sink) emit(p []byte, text *mark) error {
	if len(p) == 0 {
		return s.run.step()
	}
	if len(s.buf)+len(p) > s.run.lim.Output {
		return s.run.exceeded("the output of one template", size(s.run.lim.Output))
	}
	if err := s.run.take(len(p)); err != nil {
		return err
	}
	s.buf = append(s.buf, p...)
	end := int32(len(s.buf))
	if n := len(s.spans); n > 0 {
		last := &s.spans[n-1]
		same := text == nil && last.at == s.at && last.top == s.top && len(s.calls) == 0 && last.calls == nil
		if same || n >= maxSpans {
			last.end = end
			return nil
		}
	}
	sp := span{end: end, top: s.top, at: s.at}
	if text == nil && len(s.calls) > 0 {
		sp.calls, s.calls = s.calls, nil
	}
	s.spans = append(s.spans, sp)
	return nil
}

// heard notes what an include returned to the action that is executing.
func (s *sink) heard(text string, spans []span) {
	if s.run.kept+len(text) > maxPassages {
		return
	}
	s.run.kept += len(text)
	s.calls = append(s.calls, &passage{text: text, spans: spans})
}

// where returns the place of the outermost template that is executing in s.
func (s *sink) where(file string) Pos {
	p := Pos{File: file}
	if s.top != nil {
		p.Line = s.top.line()
	}
	return p
}
