package render

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// Folder is where `helm template --output-dir` writes.
type Folder struct {
	Dir     string    // on this machine
	Shown   string    // how Log names it
	Release string    // the folder within it for what is no CRD, with --release-name; "" for none
	Log     io.Writer // gets a line for each manifest that was written
}

// WriteTo writes each template's manifests to a file of its own, as `helm
// template` does, but begins every file anew: Helm adds hooks to what an
// earlier run left. Nothing is written outside of the folder, links in it that
// lead elsewhere are refused. ShowOnly of the options is not looked at.
func (r *Result) WriteTo(to Folder, opts PrintOptions) error {
	w := &treeWriter{to: to, written: map[string]bool{}}
	defer w.close()
	if opts.IncludeCRDs {
		for _, c := range r.CRDs {
			if err := w.write("", c.File, string(c.Data)); err != nil {
				return err
			}
		}
	}
	for _, m := range r.Manifests {
		if m.Hook != nil && (opts.NoHooks || opts.SkipTests && m.Hook.Test()) {
			continue
		}
		if err := w.write(to.Release, m.Template, m.Data); err != nil {
			return err
		}
	}
	return nil
}

type treeWriter struct {
	to      Folder
	root    *os.Root // opened with the first file
	written map[string]bool
}

func (w *treeWriter) close() {
	if w.root != nil {
		w.root.Close()
	}
}

// write adds a document to the file of its template.
func (w *treeWriter) write(release, template, data string) error {
	if w.root == nil {
		if err := os.MkdirAll(w.to.Dir, 0o755); err != nil {
			return fmt.Errorf("making the output folder: %w", err)
		}
		root, err := os.OpenRoot(w.to.Dir)
		if err != nil {
			return fmt.Errorf("opening the output folder: %w", err)
		}
		w.root = root
	}
	name := path.Join(release, template)
	if err := w.add(name, "---\n# Source: "+template+"\n"+data+"\n"); err != nil {
		return fmt.Errorf("writing %q below %q: %w", name, w.to.Shown, err)
	}
	shown := w.to.Shown
	if release != "" {
		shown = filepath.Join(shown, release)
	}
	_, err := fmt.Fprintf(w.to.Log, "wrote %s\n", shown+string(filepath.Separator)+template)
	return err
}

func (w *treeWriter) add(name, text string) error {
	if err := w.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	how := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if w.written[name] {
		how = os.O_WRONLY | os.O_APPEND
	}
	f, err := w.root.OpenFile(name, how, 0o666)
	if err != nil {
		return err
	}
	w.written[name] = true
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
