package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// maxValues bounds one file of values, in bytes.
const maxValues = 64 << 20

// valuesReader reads what -f and --set-file name.
type valuesReader struct{ std stdio }

func (r *valuesReader) read(name string) ([]byte, error) {
	if strings.TrimSpace(name) == "-" {
		return bounded(r.std.In, "the standard input", maxValues)
	}
	u, err := url.Parse(name)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "http", "https", "oci":
		return nil, &usageError{fmt.Sprintf("values are not fetched: %q is a URL", name), "download the file before"}
	}
	f, err := os.Open(absolute(r.std.Dir, name))
	if err != nil {
		return nil, asGiven(err, name)
	}
	defer f.Close()
	data, err := bounded(f, name, maxValues)
	return data, asGiven(err, name)
}

// bounded reads all, or fails where there is more than max bytes.
func bounded(r io.Reader, name string, max int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, max+1))
	if err != nil {
		return nil, err
	}
	if n > max {
		return nil, fmt.Errorf("reading %q: it has more than %d bytes", name, max)
	}
	return b.Bytes(), nil
}

// asGiven puts the path into an error of the file system as it was given, as
// helm has it, rather than joined to the working directory.
func asGiven(err error, name string) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return &fs.PathError{Op: at.Op, Path: name, Err: at.Err}
	}
	return err
}

// nameAndChart reads the arguments as `helm template` does: there, the name of
// the release is "release-name" unless it is given or a template makes it.
func (r *renderRun) nameAndChart(args []string) (name, chart string, err error) {
	switch {
	case len(args) == 0:
		return "", "", &usageError{`"chartgate render" requires at least 1 argument`, "usage: chartgate render [NAME] CHART"}
	case len(args) > 2:
		return "", "", fmt.Errorf("expected at most two arguments, unexpected arguments: %v", strings.Join(args[2:], ", "))
	case len(args) == 2 && r.generateName:
		return "", "", errors.New("cannot set --generate-name and also specify a name")
	case len(args) == 2 && r.nameTemplate != "":
		return "", "", errors.New("cannot set --name-template and also specify a name")
	case len(args) == 2:
		return args[0], args[1], nil
	case r.nameTemplate != "":
		name, err := templateName(r.nameTemplate)
		return name, args[0], err
	}
	return "release-name", args[0], nil
}

// maxNameTemplate bounds what a name template may write, in bytes, and
// nameTime how long it may write.
const (
	maxNameTemplate = 1 << 10
	nameTime        = 5 * time.Second
)

// templateName executes the template of a release's name. It has Sprig's
// functions but those that read the environment; no name is resolved.
func templateName(text string) (string, error) {
	funcs := sprig.TxtFuncMap()
	delete(funcs, "env")
	delete(funcs, "expandenv")
	funcs["getHostByName"] = func(string) string { return "" }
	t, err := template.New("name-template").Funcs(funcs).Parse(text)
	if err != nil {
		return "", err
	}
	out := &nameWriter{until: time.Now().Add(nameTime)}
	if err := t.Execute(out, nil); err != nil {
		return "", err
	}
	return out.String(), nil
}

// nameWriter keeps what a name template writes, within limits.
type nameWriter struct {
	strings.Builder
	until time.Time
}

func (w *nameWriter) Write(p []byte) (int, error) {
	if w.Len()+len(p) > maxNameTemplate || time.Now().After(w.until) {
		return 0, errors.New("a name template writes too much, or takes too long")
	}
	return w.Builder.Write(p)
}

// real resolves links in a path that may not be there.
func real(dir string) string {
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		return resolved
	}
	return dir
}
