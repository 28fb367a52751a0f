//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// What `make bench-yaml` asks of chartgate.
const (
	leastRatio  = 100 // how many times yamllint's CPU time
	mostMemory  = 8   // times the file's size, besides what an empty file takes
	mostSlower  = 2   // times the CPU time a byte, of a large file as of a small one
	valuesBytes = 100 << 10
)

// lintRun is what a run of a linter took.
type lintRun struct {
	cpu    time.Duration // of user and system
	peak   int64         // bytes
	output string        // a file
}

// TestYAMLLintFigures runs yamllint and chartgate over the same files and prints what both take. BENCH_YAML_MB says over how
// many megabytes; without it the test skips, as yamllint takes minutes for the 20 that `make bench-yaml` asks for.
func TestYAMLLintFigures(t *testing.T) {
	size, err := strconv.Atoi(os.Getenv("BENCH_YAML_MB"))
	if err != nil || size <= 0 {
		t.Skip("takes minutes: call make bench-yaml")
	}
	dir, ours := t.TempDir(), []string{binary(t), "yamllint"}
	bytesOfFiles := valuesFiles(t, filepath.Join(dir, "values"), size<<20)
	table := &strings.Builder{}
	w := tabwriter.NewWriter(table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "over\tprogram\tCPU\tns a byte\tpeak memory\t")
	row := func(over, program string, r lintRun, size int) {
		fmt.Fprintf(w, "%s\t%s\t%.2f s\t%.1f\t%.1f MiB\t\n", over, program, r.cpu.Seconds(), float64(r.cpu.Nanoseconds())/float64(size), float64(r.peak)/(1<<20))
	}

	mine := lint(t, dir, ours, "values")
	files := fmt.Sprintf("%d MiB of values files", size)
	row(files, "chartgate", mine, bytesOfFiles)
	singleFiles(t, dir, ours, row)
	ratio := "yamllint is not on the PATH: SKIPPED the comparison (apt-get install yamllint)"
	if path, err := exec.LookPath("yamllint"); err == nil {
		theirs := lint(t, dir, []string{path}, "values")
		row(files, "yamllint", theirs, bytesOfFiles)
		times := float64(theirs.cpu) / float64(mine.cpu)
		ratio = fmt.Sprintf("yamllint takes %.0f times the CPU time; both print the same %d problems", times, countLines(t, mine.output))
		if times < leastRatio {
			t.Errorf("yamllint takes %.0f times the CPU time, not %d", times, leastRatio)
		}
		if err := exec.Command("cmp", mine.output, theirs.output).Run(); err != nil {
			t.Errorf("the two find different problems: %v", err)
		}
	}
	w.Flush()
	fmt.Printf("%s%s\n", table, ratio)
}

// singleFiles shows that time and memory grow with a file's size, and no faster.
func singleFiles(t *testing.T, dir string, ours []string, row func(string, string, lintRun, int)) {
	t.Helper()
	write(t, filepath.Join(dir, "empty.yaml"), func(io.Writer) {})
	empty := lint(t, dir, ours, "empty.yaml").peak
	var small float64 // nanoseconds a byte
	for _, c := range []struct {
		over, name string
		text       func(w io.Writer)
	}{
		{"a file of 5 MiB", "5.yaml", func(w io.Writer) { values(w, 0, 5<<20) }},
		{"a file of 50 MiB", "50.yaml", func(w io.Writer) { values(w, 0, 50<<20) }},
		{"a line of 5 MiB", "line.yaml", longLine},
	} {
		size := write(t, filepath.Join(dir, c.name), c.text)
		r := lint(t, dir, ours, c.name)
		row(c.over, "chartgate", r, size)
		each := float64(r.cpu) / float64(size)
		if small == 0 {
			small = each
		}
		if each > mostSlower*small {
			t.Errorf("%s takes %.1f ns a byte, one of 5 MiB in usual lines %.1f", c.over, each, small)
		}
		if r.peak-empty > int64(mostMemory*size) {
			t.Errorf("%s takes %d MiB of memory", c.over, r.peak>>20)
		}
	}
}

// lint runs a linter in a folder; that it finds something is no failure.
func lint(t *testing.T, dir string, program []string, path string) lintRun {
	t.Helper()
	out, err := os.Create(filepath.Join(dir, filepath.Base(program[0])+"-"+path+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var stderr bytes.Buffer
	cmd := exec.Command(program[0], append(program[1:], "-d", "default", "-f", "parsable", path)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, &stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || stderr.Len() > 0 {
		t.Fatalf("%s: %v: %s", program[0], err, &stderr)
	}
	return lintRun{cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peakMemory(cmd.ProcessState), out.Name()}
}

// valuesFiles writes values files of so many bytes altogether, and returns how many they really have.
func valuesFiles(t *testing.T, dir string, size int) (written int) {
	t.Helper()
	for i := 0; written < size; i++ {
		folder := filepath.Join(dir, fmt.Sprintf("chart-%d", i))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		written += write(t, filepath.Join(folder, "values.yaml"), func(w io.Writer) { values(w, i, valuesBytes) })
	}
	return written
}

// write writes a file bit by bit: a process starts with the peak memory of the one that starts it, so this one must stay small.
func write(t *testing.T, path string, text func(w io.Writer)) (size int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	text(w)
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Size())
}

func countLines(t *testing.T, path string) (n int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		n++
	}
	return n
}

func longLine(w io.Writer) {
	io.WriteString(w, "---\nk: [")
	for range (5 << 20) / 7 {
		io.WriteString(w, "value, ")
	}
	io.WriteString(w, "last]\n")
}

// values makes a text like the values files of public charts, with a problem here and there.
func values(w io.Writer, seed, size int) {
	written, _ := io.WriteString(w, "---")
	for i := seed; written < size; i++ {
		n, _ := fmt.Fprintf(w, `
## @section Parameters of part %[1]d
##
part%[1]d:
  ## @param part%[1]d.enabled Whether the part is deployed
  enabled: %[2]s
  image:
    registry: registry.example.com
    repository: platform/part-%[1]d
    tag: "1.%[1]d.0"
    pullPolicy: IfNotPresent
    ## Secrets must be made by hand in the namespace, see the documentation of the registry in use
    pullSecrets: []
  ## resources:
  ##   limits: {cpu: 1, memory: 1Gi}
  resources: {}
  podLabels: {app: part, tier: backend}
  args: ["--port", '8080']%[3]s
  env:
    - name: HOME
      value: /srv
    - name: LANG
      value: C.UTF-8
  description: |
    A longer text
    over several lines.
`, i, []string{"true", "false", "yes"}[i%3], strings.Repeat(" ", i%2))
		written += n
	}
}
