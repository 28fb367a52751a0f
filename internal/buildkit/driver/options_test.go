package driver

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type testOptions struct {
	Namespace string            `opt:"namespace" doc:"Where."`
	Replicas  int               `opt:"replicas"`
	Rootless  bool              `opt:"rootless"`
	Timeout   time.Duration     `opt:"timeout"`
	Labels    map[string]string `opt:"labels"`
	internal  string
}

func TestOptions(t *testing.T) {
	given, err := ParseOptions("test", []string{`namespace=a,replicas=2`, `"labels=x=1,y=a=b",rootless=true`, "timeout=90s,replicas=3"})
	if err != nil {
		t.Fatal(err)
	}
	got := testOptions{internal: "kept"}
	if err := Decode("test", given, &got); err != nil {
		t.Fatal(err)
	}
	want := testOptions{Namespace: "a", Replicas: 3, Rootless: true, Timeout: 90 * time.Second,
		Labels: map[string]string{"x": "1", "y": "a=b"}, internal: "kept"}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(testOptions{})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Option{{"namespace", "string", "Where."}, {"replicas", "int", ""}, {"rootless", "bool", ""},
		{"timeout", "duration", ""}, {"labels", "KEY=VALUE,…", ""}}, OptionsOf(&got)); d != "" {
		t.Error(d)
	}
}

func TestWrongOptions(t *testing.T) {
	for _, c := range []struct{ arg, want, hint string }{
		{"namespce=a", `driver test: option "namespce": there is no such option`, `did you mean "namespace"?`},
		{"q=a", `option "q": there is no such option`, "its options are namespace, replicas, rootless, timeout, labels"},
		{"replicas=many", `option "replicas": "many" is not a number`, ""},
		{"rootless=maybe", `"maybe" is neither true nor false`, ""},
		{"timeout=5", `"5" is not a duration such as 90s or 24h`, ""},
		{"timeout=-5s", `"-5s" is not a duration`, ""},
		{"labels=x", `"x" is not KEY=VALUE`, ""},
		{"labels=x=1,y=2,z", `"z" is not KEY=VALUE`, "double quotes"},
		{`"open`, "is no list of KEY=VALUE", "double quotes"},
	} {
		given, err := ParseOptions("test", []string{c.arg})
		if err == nil {
			err = Decode("test", given, &testOptions{})
		}
		var wrong *OptionError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) || !strings.Contains(HintOf(err), c.hint) {
			t.Errorf("%s: %v, hint %q", c.arg, err, HintOf(err))
		}
	}
}
