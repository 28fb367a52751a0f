//go:build e2e

package kubesec_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/controlplaneio/kubesec/v2/pkg/ruler"
	gocmp "github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/chartgate/chartgate/internal/kubesec"
)

// program finds the kubesec binary: $KUBESEC, else the PATH.
func program(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath(cmp.Or(os.Getenv("KUBESEC"), "kubesec"))
	if err != nil {
		t.Skipf("no kubesec to compare with (set KUBESEC, or put it on the PATH): %v", err)
	}
	return path
}

// TestSameAsProgram compares with `kubesec scan`, object by object, over the
// fixtures and over each *.yaml in the folder that MANIFESTS names. kubesec is
// given a schema that accepts everything, since schemas are not compared.
func TestSameAsProgram(t *testing.T) {
	bin := program(t)
	schema := filepath.Join(t.TempDir(), "any.json")
	if err := os.WriteFile(schema, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	if dir := os.Getenv("MANIFESTS"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		if err != nil || len(more) == 0 {
			t.Fatalf("no manifests in MANIFESTS=%s: %v", dir, err)
		}
		files = append(files, more...)
	}
	objects, scored := 0, 0
	for _, file := range files {
		want := scanWithProgram(t, bin, schema, file)
		got := scanFile(t, file)
		objects += len(want)
		for _, v := range got {
			if v.Object != "Unknown" && len(v.Critical)+len(v.Passed)+len(v.Advise) > 0 {
				scored++
			}
		}
		if d := gocmp.Diff(want, got); d != "" {
			t.Errorf("%s (-kubesec +chartgate):\n%s", file, d)
		}
	}
	t.Logf("%d files, %d objects, %d of them with pods", len(files), objects, scored)
	if scored == 0 {
		t.Error("nothing was scored")
	}
}

func scanWithProgram(t *testing.T, bin, schema, file string) []verdict {
	t.Helper()
	var out, stderr bytes.Buffer
	cmd := exec.Command(bin, "scan", "--schema-location", schema, file)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run() // a score of 0 is exit code 2 to it
	if strings.HasPrefix(out.String(), "Invalid input") {
		return nil // a chart that renders nothing
	}
	if err != nil && out.Len() == 0 {
		t.Fatalf("%s: kubesec: %v: %s", file, err, stderr.Bytes())
	}
	var reports []ruler.Report
	if err := json.Unmarshal(out.Bytes(), &reports); err != nil {
		t.Fatalf("%s: reading kubesec's answer: %v", file, err)
	}
	var verdicts []verdict
	for _, r := range reports {
		if !r.Valid {
			t.Fatalf("%s: kubesec calls %s invalid: %s", file, r.Object, r.Message)
		}
		verdicts = append(verdicts, theirs(r))
	}
	return verdicts
}

// scanFile splits documents exactly as kubesec does and gives an empty verdict
// to what has no pods, as it does.
func scanFile(t *testing.T, file string) []verdict {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := kubesec.New(kubesec.Options{AsKubesec: true})
	var verdicts []verdict
	for _, doc := range bytes.Split(text, []byte("\n---\n")) {
		if doc = bytes.TrimSpace(doc); len(doc) == 0 || string(doc) == "---" {
			continue
		}
		var obj map[string]any
		if err := yaml.Unmarshal(doc, &obj); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		results, err := s.Scan(context.Background(), obj)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		v := verdict{Critical: []string{}, Passed: []string{}, Advise: []string{}}
		if len(results) == 1 {
			v = ours(results[0])
		}
		v.Object = kubesec.ObjectName(obj)
		verdicts = append(verdicts, v)
	}
	return verdicts
}
