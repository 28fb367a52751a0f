package yamllint

import (
	"bytes"
	"errors"
	"io"

	"go.yaml.in/yaml/v3"
)

// sameToHelm tells whether the library that Helm reads YAML with, too, finds the same in two texts. It differs from YAML 1.1
// in places: "[a:]" is a list of a string to it, "[ a: ]" one of a mapping. Of a text that it cannot read nothing is asked.
func sameToHelm(a, b []byte) (same bool) {
	defer func() {
		if recover() != nil { // a fault of the library is no reason to fail, but one to leave the text alone
			same = false
		}
	}()
	x, y := yaml.NewDecoder(bytes.NewReader(a)), yaml.NewDecoder(bytes.NewReader(b))
	for {
		var m, n yaml.Node
		errA, errB := x.Decode(&m), y.Decode(&n)
		switch {
		case errA != nil && !errors.Is(errA, io.EOF):
			return true
		case errA != nil || errB != nil:
			return errors.Is(errA, io.EOF) && errors.Is(errB, io.EOF)
		case !sameNodes(&m, &n):
			return false
		}
	}
}

// sameNodes compares what nodes say. The library bounds how deep they nest.
func sameNodes(m, n *yaml.Node) bool {
	if m.Kind != n.Kind || m.Tag != n.Tag || m.Value != n.Value || m.Anchor != n.Anchor || len(m.Content) != len(n.Content) {
		return false
	}
	for i := range m.Content {
		if !sameNodes(m.Content[i], n.Content[i]) {
			return false
		}
	}
	return true
}
