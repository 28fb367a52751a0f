package yamllint

// dropStaleKeys forgets candidates whose ":" can no longer come: it must be on the same line, and near.
func (s *scanner) dropStaleKeys() {
	for s.keyHead < len(s.keys) {
		k := &s.keys[s.keyHead]
		if k.mark.Line == s.line && s.pos-s.skew-k.char <= maxSimpleKey {
			return
		}
		if k.required {
			s.failAt("could not find expected ':'")
			return
		}
		s.keyHead++
	}
	s.keys, s.keyHead = s.keys[:0], 0
}

// saveKey notes that what comes next may be a key.
func (s *scanner) saveKey() {
	if !s.keyAllowed {
		return
	}
	s.removeKey()
	m := s.mark()
	s.keys = append(s.keys, simpleKey{
		level: s.flow, slot: s.taken + len(s.queue) - s.head, required: s.flow == 0 && s.indent == m.Column,
		mark: m, char: s.pos - s.skew,
	})
	s.push(Token{Kind: slotEmpty, Start: m, End: m})
}

// currentKey returns the candidate on the current flow level, which is always the last one.
func (s *scanner) currentKey() *simpleKey {
	if n := len(s.keys); n > s.keyHead && s.keys[n-1].level == s.flow {
		return &s.keys[n-1]
	}
	return nil
}

func (s *scanner) removeKey() {
	k := s.currentKey()
	if k == nil {
		return
	}
	if k.required {
		s.failAt("could not find expected ':'")
		return
	}
	s.keys = s.keys[:len(s.keys)-1]
}

// unwind closes the block collections that are indented deeper than the column.
func (s *scanner) unwind(column int) {
	if s.flow != 0 {
		return
	}
	for s.indent > column {
		m := s.mark()
		s.indent = s.outer[len(s.outer)-1]
		s.outer = s.outer[:len(s.outer)-1]
		s.push(Token{Kind: BlockEnd, Start: m, End: m})
	}
}

// deepen opens a block collection at the column unless one is open there.
func (s *scanner) deepen(column int) bool {
	if s.indent >= column {
		return false
	}
	if len(s.outer) >= maxDepth {
		s.failAt("collections nest too deep")
		return false
	}
	s.outer = append(s.outer, s.indent)
	s.indent = column
	return true
}

func (s *scanner) fetchStreamEnd() {
	s.unwind(-1)
	s.removeKey()
	if s.err != nil {
		return
	}
	s.keyAllowed = false
	s.keys, s.keyHead = s.keys[:0], 0
	m := s.mark()
	s.push(Token{Kind: StreamEnd, Start: m, End: m})
	s.done = true
}

// pushChars makes a token of the next n bytes, all ASCII.
func (s *scanner) pushChars(kind Kind, n int) {
	if s.err != nil {
		return
	}
	start := s.mark()
	s.pos += n
	s.push(Token{Kind: kind, Start: start, End: s.mark()})
}

func (s *scanner) fetchDocumentMarker(kind Kind) {
	s.unwind(-1)
	s.removeKey()
	s.keyAllowed = false
	s.pushChars(kind, 3)
}

func (s *scanner) fetchFlowStart(kind Kind) {
	s.saveKey()
	if s.flow++; s.flow > maxDepth {
		s.failAt("collections nest too deep")
	}
	s.keyAllowed = true
	s.pushChars(kind, 1)
}

func (s *scanner) fetchFlowEnd(kind Kind) {
	s.removeKey()
	s.flow--
	s.keyAllowed = false
	s.pushChars(kind, 1)
}

func (s *scanner) fetchFlowEntry() {
	s.keyAllowed = true
	s.removeKey()
	s.pushChars(FlowEntry, 1)
}

func (s *scanner) fetchBlockEntry() {
	if s.flow == 0 {
		if !s.keyAllowed {
			s.failAt("sequence entries are not allowed here")
			return
		}
		if s.deepen(s.column()) {
			s.pushChars(BlockSequenceStart, 0)
		}
	}
	s.keyAllowed = true
	s.removeKey()
	s.pushChars(BlockEntry, 1)
}

func (s *scanner) fetchKey() {
	if s.flow == 0 {
		if !s.keyAllowed {
			s.failAt("mapping keys are not allowed here")
			return
		}
		if s.deepen(s.column()) {
			s.pushChars(BlockMappingStart, 0)
		}
	}
	s.keyAllowed = s.flow == 0
	s.removeKey()
	s.pushChars(Key, 1)
}

func (s *scanner) fetchValue() {
	if k := s.currentKey(); k != nil {
		key := *k
		s.keys = s.keys[:len(s.keys)-1]
		slot := &s.queue[s.head+key.slot-s.taken]
		slot.Kind = Key
		if s.flow == 0 && s.deepen(key.mark.Column) {
			slot.Kind = slotAndStart
		}
		s.keyAllowed = false
		s.pushChars(Value, 1)
		return
	}
	if s.flow == 0 {
		if !s.keyAllowed {
			s.failAt("mapping values are not allowed here")
			return
		}
		if s.deepen(s.column()) {
			s.pushChars(BlockMappingStart, 0)
		}
	}
	s.keyAllowed = s.flow == 0
	s.removeKey()
	s.pushChars(Value, 1)
}
