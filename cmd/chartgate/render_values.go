package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/chartgate/chartgate/internal/render"
)

// maxValues bounds one file of values, in bytes.
const maxValues = 16 << 20

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
func (r *renderRun) nameAndChart(ctx context.Context, args []string) (name, chart string, err error) {
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
		name, err := render.ReleaseName(ctx, r.nameTemplate)
		return name, args[0], err
	}
	return "release-name", args[0], nil
}

// unlinked resolves links in a path that may not be there.
func unlinked(dir string) string {
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		return resolved
	}
	return dir
}
