package kubesec_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/controlplaneio/kubesec/v2/pkg/ruler"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"sigs.k8s.io/yaml"

	"github.com/chartgate/chartgate/internal/kubesec"
)

// verdict is what both sides are compared by.
type verdict struct {
	Object                   string
	Score                    int
	Critical, Passed, Advise []string
}

func ours(r kubesec.Result) verdict {
	return verdict{Object: r.Object(), Score: r.Score, Critical: ids(r.Critical), Passed: ids(r.Passed), Advise: ids(r.Advise)}
}

func theirs(r ruler.Report) verdict {
	names := func(refs []ruler.RuleRef) []string {
		out := []string{}
		for _, ref := range refs {
			out = append(out, ref.ID)
		}
		return out
	}
	return verdict{Object: r.Object, Score: r.Score, Critical: names(r.Scoring.Critical), Passed: names(r.Scoring.Passed), Advise: names(r.Scoring.Advise)}
}

// oracle runs kubesec's own ruleset over the whole object. It ends the process
// on some malformed ones: ask it only about what Scan accepted.
func oracle(t testing.TB, data []byte) verdict {
	t.Helper()
	reports, err := ruler.NewRuleset(zap.NewNop().Sugar()).Run("x", data, ruler.SchemaConfig{DisableValidation: true})
	if err != nil || len(reports) != 1 {
		t.Fatalf("kubesec: %d reports, %v", len(reports), err)
	}
	return theirs(reports[0])
}

// compare scans an object the way kubesec would and asks kubesec itself.
func compare(t testing.TB, data []byte) {
	t.Helper()
	results, err := kubesec.New(kubesec.Options{AsKubesec: true}).ScanJSON(context.Background(), data)
	if err != nil {
		return
	}
	got := verdict{Critical: []string{}, Passed: []string{}, Advise: []string{}}
	if len(results) > 0 {
		got = ours(results[0])
	}
	var obj map[string]any
	if err := json.Unmarshal(data, &obj); err != nil && !json.Valid(data) {
		t.Fatal(err)
	}
	got.Object = kubesec.ObjectName(obj)
	want := oracle(t, data)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("kubesec and we differ over\n%s\n(-kubesec +chartgate):\n%s", data, d)
	}
}

func TestSameAsLibrary(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range strings.Split(string(text), "\n---\n") {
			data, err := yaml.YAMLToJSON([]byte(doc))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			compare(t, data)
		}
	}
}

// FuzzScan looks for objects that crash the scanner, that it scores unlike
// kubesec, or whose containers it counts unlike kubesec.
func FuzzScan(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, doc := range strings.Split(string(text), "\n---\n") {
			data, err := yaml.YAMLToJSON([]byte(doc))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte(`{"kind":"List","items":[{"kind":"Pod"},null,{"kind":"CronJob","spec":{"jobTemplate":null}}]}`))
	f.Add([]byte(`{"kind":"StatefulSet","spec":{"volumeClaimTemplates":[{},{"spec":null},{"spec":{"resources":{"requests":{"storage":null}}}}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		results, _ := kubesec.New(kubesec.Options{}).ScanJSON(context.Background(), data)
		for _, r := range results {
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("the result cannot be written: %v", err)
			}
			checkCounts(t, r)
		}
		compare(t, data)
	})
}

// checkCounts checks that the named containers are as many as were counted.
func checkCounts(t *testing.T, r kubesec.Result) {
	for _, hit := range append(append([]kubesec.RuleHit{}, r.Critical...), r.Passed...) {
		rule, _ := kubesec.Find(hit.ID)
		if rule.Scope != kubesec.ScopeObject && len(hit.Containers) == 0 {
			t.Errorf("%s matched in no container of %s", hit.ID, r.Object())
		}
	}
	for _, hit := range r.Advise {
		if len(hit.Lacking) > 0 {
			t.Errorf("%s is advice and has both kinds of containers", hit.ID)
		}
	}
}
