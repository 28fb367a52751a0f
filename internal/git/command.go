package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"
)

const (
	maxStderr  = 4 << 10
	maxOutput  = 8 << 20         // of a command whose answer is a line or a commit
	maxEntries = 1_000_000       // of a listing
	maxRecord  = 64 << 10        // one path and what is said of it
	waitDelay  = 2 * time.Second // for a killed git to let go of its pipes
)

// commandError is a git command that failed.
type commandError struct {
	command string
	stderr  string
	err     error
}

func (e *commandError) Error() string {
	if e.stderr != "" {
		return fmt.Sprintf("running git %s: %v: %s", e.command, e.err, e.stderr)
	}
	return fmt.Sprintf("running git %s: %v", e.command, e.err)
}

func (e *commandError) Unwrap() error { return e.err }

// exitCode is what git ended with; -1 if it did not run to its end.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// environment is what git may see of ours: none of the variables that point
// it at another repository, and those that keep it quiet and at home.
func environment(env []string) []string {
	keep := []string{"GIT_EXEC_PATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
		"GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"}
	var out []string
	for _, kv := range env {
		key, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(key, "GIT_") && !slices.Contains(keep, key) || key == "LC_ALL" || key == "LANGUAGE" {
			continue
		}
		out = append(out, kv)
	}
	return append(out,
		"LC_ALL=C",                   // messages are read
		"GIT_OPTIONAL_LOCKS=0",       // others may be at work in the repository
		"GIT_TERMINAL_PROMPT=0",      // nobody is there to answer
		"GIT_LITERAL_PATHSPECS=1",    // a path is a path
		"GIT_NO_REPLACE_OBJECTS=1",   // the same commit reads the same everywhere
		"GIT_NO_LAZY_FETCH=1",        // a partial clone must not go to the network
		"GIT_ALLOW_PROTOCOL=nothing", // the same, for a git that does not know the former
	)
}

// command prepares a git command in the repository's root.
func (r *Repo) command(ctx context.Context, args ...string) *exec.Cmd {
	full := append([]string{"--no-pager", "-C", r.root,
		"-c", "safe.directory=" + r.root, "-c", "safe.directory=" + r.gitDir,
		"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"}, args...)
	cmd := exec.CommandContext(ctx, "git", full...)
	cmd.Env = r.env
	if r.indexFile != "" {
		cmd.Env = append(slices.Clip(r.env), "GIT_INDEX_FILE="+r.indexFile)
	}
	cmd.WaitDelay = waitDelay
	return cmd
}

// output runs git and returns what it printed, bounded.
func (r *Repo) output(ctx context.Context, args ...string) ([]byte, error) {
	cmd := r.command(ctx, args...)
	stdout, stderr := &bounded{max: maxOutput}, &bounded{max: maxStderr}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Run(); err != nil {
		return nil, failure(ctx, args, err, stderr)
	}
	if stdout.cut {
		return nil, failure(ctx, args, fmt.Errorf("it printed more than %d bytes", stdout.max), stderr)
	}
	return stdout.buf.Bytes(), nil
}

// line runs git and returns its output without the line break at the end.
func (r *Repo) line(ctx context.Context, args ...string) (string, error) {
	out, err := r.output(ctx, args...)
	return strings.TrimSuffix(string(out), "\n"), err
}

// records runs git and hands on its NUL-terminated records one by one.
func (r *Repo) records(ctx context.Context, each func(record string) error, args ...string) error {
	return r.stream(ctx, splitNUL, each, args...)
}

// stream runs git and hands on what it prints, piece by piece.
func (r *Repo) stream(ctx context.Context, split bufio.SplitFunc, each func(string) error, args ...string) error {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	cmd := r.command(inner, args...)
	stderr := &bounded{max: maxStderr}
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return failure(ctx, args, err, stderr)
	}
	if err := cmd.Start(); err != nil {
		return failure(ctx, args, err, stderr)
	}
	broken := eachRecord(out, split, each)
	if broken != nil {
		stop() // git may have gigabytes left to say
	}
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case broken != nil:
		return broken
	case err != nil:
		return failure(ctx, args, err, stderr)
	}
	return nil
}

func eachRecord(out io.Reader, split bufio.SplitFunc, each func(string) error) error {
	scanner := bufio.NewScanner(out)
	scanner.Buffer(make([]byte, 0, 4096), maxRecord)
	scanner.Split(split)
	for n := 0; scanner.Scan(); n++ {
		if n >= maxEntries {
			return fmt.Errorf("listing files: more than %d", maxEntries)
		}
		if err := each(scanner.Text()); err != nil {
			return err
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("listing files: %w", err)
	}
	return nil
}

func splitNUL(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return 0, nil, nil
}

func failure(ctx context.Context, args []string, err error, stderr *bounded) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return ErrNoGit
	}
	return &commandError{command: args[0], stderr: strings.TrimSpace(stderr.buf.String()), err: err}
}

// bounded keeps the first max bytes that are written to it.
type bounded struct {
	buf bytes.Buffer
	max int
	cut bool
}

func (b *bounded) Write(p []byte) (int, error) {
	keep := min(len(p), b.max-b.buf.Len())
	b.buf.Write(p[:keep])
	b.cut = b.cut || keep < len(p)
	return len(p), nil
}
