package git

import (
	"io/fs"
	"strings"
	"testing"
)

// FuzzTree builds trees from listings that no git would make and looks at all
// that is in them. Paths must stay unique and inside.
func FuzzTree(f *testing.F) {
	f.Add("100644 a/b\n100755 a/c\n160000 mod\n120000 link")
	f.Add("100644 a\n100644 a/b")
	f.Add("160000 a\n100644 a/b\n100644 a/b")
	f.Add("100644 ../x\n100644 /x\n100644 a//b")
	f.Add("040000 a\n100664 b\nx c")
	f.Fuzz(func(t *testing.T, listing string) {
		var entries []entry
		for line := range strings.Lines(listing) {
			mode, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			entries = append(entries, entry{mode: mode, path: path})
		}
		tree, err := newTree(entries, &contents{closed: fs.ErrClosed})
		if err != nil {
			return
		}
		seen := 0
		var visit func(n *node, path string)
		visit = func(n *node, path string) {
			for _, child := range n.sorted {
				at := strings.TrimPrefix(path+"/"+child.name, "/")
				if found, err := tree.walk(tree.dir, at, false); err != nil || found != child {
					t.Errorf("walking to %q: %v", at, err)
				}
				if child.children == nil {
					seen++
				}
				visit(child, at)
			}
		}
		visit(tree.dir, "")
		files := 0
		for _, e := range entries {
			if e.mode != "160000" {
				files++
			}
		}
		if seen != files {
			t.Errorf("%d files in the tree, %d in the listing", seen, files)
		}
	})
}

func FuzzCommitter(f *testing.F) {
	f.Add("A B <a@example.com> 1700000000 +0100")
	f.Add("A <B> <c> -5 +0000")
	f.Add(">")
	f.Add("")
	f.Fuzz(func(t *testing.T, line string) {
		if got, err := parseTime(line); err == nil && got.Location().String() != "UTC" {
			t.Errorf("parseTime(%q) = %v", line, got)
		}
	})
}
