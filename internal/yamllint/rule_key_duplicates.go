package yamllint

import "bytes"

func keyDuplicatesRule() *Rule {
	return &Rule{
		Name: "key-duplicates",
		What: "Forbids a key that a mapping already has.",
		Why:  "Most parsers take the last value without a word, so the others look in force and are not.",
		Bad:  "---\nreplicas: 1\nimage: web\nreplicas: 2\n", Good: "---\nreplicas: 2\nimage: web\n",
		Options: []Option{
			{Name: "forbid-duplicated-merge-keys", What: "whether a second << is forbidden as well", Default: false, Type: Type{Bool: true}},
		},
		check: checkKeyDuplicates,
	}
}

// keySet holds the keys of a collection that is open. Most mappings are small, and a small one is a list.
type keySet struct {
	mapping bool
	list    [][]byte
	index   map[string]struct{}
}

const maxKeyList = 24

// add notes a key; false where the set already has it.
func (s *keySet) add(key []byte) bool {
	if s.index != nil {
		if _, ok := s.index[string(key)]; ok {
			return false
		}
		s.index[string(key)] = struct{}{}
		return true
	}
	for _, k := range s.list {
		if bytes.Equal(k, key) {
			return false
		}
	}
	s.list = append(s.list, key)
	if len(s.list) > maxKeyList {
		s.index = make(map[string]struct{}, 4*maxKeyList)
		for _, k := range s.list {
			s.index[string(k)] = struct{}{}
		}
	}
	return true
}

// keyTracker follows which collection the current token is in. Sets that were closed are used again.
type keyTracker struct {
	sets  []keySet
	depth int
}

func (k *keyTracker) open(mapping bool) {
	if k.depth == len(k.sets) {
		k.sets = append(k.sets, keySet{})
	}
	s := &k.sets[k.depth]
	s.mapping, s.list, s.index = mapping, s.list[:0], nil
	k.depth++
}

// follow takes the next token; it returns the set of the mapping in which a key starts at the token after it, or nil.
func (k *keyTracker) follow(w *window) *keySet {
	switch w.cur.Kind {
	case BlockMappingStart, FlowMappingStart:
		k.open(true)
	case BlockSequenceStart, FlowSequenceStart:
		k.open(false)
	case BlockEnd, FlowMappingEnd, FlowSequenceEnd:
		k.depth = max(k.depth-1, 0)
	case Key:
		if k.depth > 0 && k.sets[k.depth-1].mapping && w.next != nil && w.next.Kind == Scalar {
			return &k.sets[k.depth-1]
		}
	}
	return nil
}

func checkKeyDuplicates(o options, text []byte, r *reporter) checks {
	merge := o.bool("forbid-duplicated-merge-keys")
	var tracker keyTracker
	return checks{kinds: keyKinds(), token: func(w *window) {
		set := tracker.follow(w)
		if set == nil {
			return
		}
		key := scalarValue(text, w.next)
		if (merge || string(key) != "<<") && !set.add(key) {
			r.at(w.next.Start, `duplication of key "`+string(key)+`" in mapping`)
		}
	}}
}

// keyKinds are the tokens that tell which mapping a key is in.
func keyKinds() []Kind {
	return []Kind{
		BlockMappingStart, FlowMappingStart, BlockSequenceStart, FlowSequenceStart, BlockEnd, FlowMappingEnd, FlowSequenceEnd, Key,
	}
}
