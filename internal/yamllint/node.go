package yamllint

// node is a value of a configuration file. Only these are ever made into trees, so depth and size are kept small.
type node struct {
	kind  nodeKind
	mark  Mark
	text  string // of a scalar
	plain bool
	keys  []*node // of a mapping, in order; as long as items
	items []*node
}

type nodeKind uint8

const (
	scalarNode nodeKind = iota
	mappingNode
	sequenceNode
)

// set puts a pair into a mapping; a later one takes the place of an earlier one, as it does in Python.
func (n *node) set(key, value *node) {
	for i, k := range n.keys {
		if k.kind == scalarNode && key.kind == scalarNode && k.text == key.text {
			n.items[i] = value
			return
		}
	}
	n.keys, n.items = append(n.keys, key), append(n.items, value)
}

// get returns the value of a key, nil where there is none.
func (n *node) get(key string) *node {
	for i, k := range n.keys {
		if k.kind == scalarNode && k.text == key {
			return n.items[i]
		}
	}
	return nil
}

func (n *node) isMerge() bool { return n.kind == scalarNode && n.plain && n.text == "<<" }
