package yamllint

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

// keyTracker follows which mapping the current key is in.
type keyTracker struct {
	stack []keySet
	spare []map[string]struct{}
}

// keySet holds the keys of a mapping that is open; nil of a sequence.
type keySet struct {
	mapping bool
	keys    map[string]struct{}
}

// follow takes the next token; true where a key of the innermost collection, a mapping, starts at the token after it.
func (k *keyTracker) follow(w *window) bool {
	switch w.cur.Kind {
	case BlockMappingStart, FlowMappingStart:
		k.stack = append(k.stack, keySet{mapping: true})
	case BlockSequenceStart, FlowSequenceStart:
		k.stack = append(k.stack, keySet{})
	case BlockEnd, FlowMappingEnd, FlowSequenceEnd:
		if n := len(k.stack); n > 0 {
			if m := k.stack[n-1].keys; m != nil && len(m) < 64 {
				clear(m)
				k.spare = append(k.spare, m)
			}
			k.stack = k.stack[:n-1]
		}
	case Key:
		n := len(k.stack)
		return n > 0 && k.stack[n-1].mapping && w.next != nil && w.next.Kind == Scalar
	}
	return false
}

// add notes a key of the innermost mapping; false where it already had it.
func (k *keyTracker) add(key []byte) bool {
	top := &k.stack[len(k.stack)-1]
	if _, ok := top.keys[string(key)]; ok {
		return false
	}
	if top.keys == nil {
		if n := len(k.spare); n > 0 {
			top.keys, k.spare = k.spare[n-1], k.spare[:n-1]
		} else {
			top.keys = make(map[string]struct{}, 8)
		}
	}
	top.keys[string(key)] = struct{}{}
	return true
}

func checkKeyDuplicates(o options, text []byte, r *reporter) checks {
	merge := o.bool("forbid-duplicated-merge-keys")
	var tracker keyTracker
	return checks{token: func(w *window) {
		if !tracker.follow(w) {
			return
		}
		key := scalarValue(text, w.next)
		if (merge || string(key) != "<<") && !tracker.add(key) {
			r.at(w.next.Start, `duplication of key "`+string(key)+`" in mapping`)
		}
	}}
}
