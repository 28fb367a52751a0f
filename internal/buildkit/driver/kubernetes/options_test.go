package kubernetes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

// given makes options of KEY, VALUE, KEY, VALUE…
func given(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func noEnv(string) string { return "" }

// options are those of an organisation named acme.
func options(t *testing.T, pairs ...string) Options {
	t.Helper()
	o, err := decode(given(append([]string{"org", "acme"}, pairs...)...), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestWrongOptions(t *testing.T) {
	dir := t.TempDir()
	broken, big := filepath.Join(dir, "broken.toml"), filepath.Join(dir, "big.toml")
	write(t, broken, "debug = true\nroot = \n")
	write(t, big, strings.Repeat("# much\n", maxConfig/7+1))
	for _, c := range []struct {
		given      map[string]string
		want, hint string
	}{
		{given("replicsa", "2"), `option "replicsa": there is no such option`, `did you mean "replicas"?`},
		{given("org", ""), `option "org": it is missing`, "CI_PROJECT_ROOT_NAMESPACE"},
		{given("replicas", "0"), "0 is not between 1 and 100", ""},
		{given("replicas", "101"), "101 is not between 1 and 100", ""},
		{given("builder", "Mine"), `"Mine" is no name of at most 40 characters`, "lower-case"},
		{given("builder", strings.Repeat("a", 41)), "is no name of at most 40 characters", ""},
		{given("kind", "DaemonSet"), `"DaemonSet" is none of Deployment, StatefulSet`, ""},
		{given("kind", "Deployment", storageOption, "1Gi"), "would all want the one volume", ""},
		{given("persistent-volume-claim.storage-class", "fast"), "there is no volume", storageOption},
		{given(storageOption, "1Gi", "buildkit-root-volume-memory", "1Gi"), "either in memory or on the volume", ""},
		{given(storageOption, "much"), `option "` + storageOption + `": "much" is no quantity`, ""},
		{given("loadbalance", "least"), `"least" is none of sticky, random`, ""},
		{given("transport", "http"), `"http" is none of auto, websocket, spdy`, ""},
		{given("host-users", "no"), `"no" is none of auto, true, false`, ""},
		{given("image-pull-policy", "Sometimes"), `"Sometimes" is none of Always, IfNotPresent, Never`, ""},
		{given("image", "a b"), `"a b" is no reference`, ""},
		{given("rootless", "false"), "a privileged pod, which this driver does not create", ""},
		{given("requests.cpu", "-1"), `option "requests.cpu": "-1" is no quantity`, ""},
		{given("requests.memory", "2Gi", "limits.memory", "1Gi"), "2Gi is more than limits.memory, which is 1Gi", ""},
		{given("timeout", "1ms"), "too short", ""},
		{given("ttl", "5s"), "shorter than the minute", ""},
		{given("drain", "25h"), "longer than a day", ""},
		{given("use-existing", "true", "keep", "false"), "cannot be one of this run alone", ""},
		{given("labels", "chartgate.io/org=other"), `"chartgate.io/org" is what builders are known by`, ""},
		{given("labels", "a b=c"), `"a b" is no key`, ""},
		{given("nodeselector", "a=b c"), `"b c" is no value for "a"`, ""},
		{given("namespace", "A"), `"A" is no name of a namespace`, ""},
		{given("serviceaccount", "-"), `option "serviceaccount": "-" is no name`, ""},
		{given("image-pull-secrets", "a,,b"), `"" is no name of a secret`, ""},
		{given("tolerations", "key"), `"key" is not KEY=VALUE`, "key=K"},
		{given("tolerations", "colour=red"), `a toleration has no "colour"`, ""},
		{given("tolerations", "tolerationSeconds=x"), `"x", which is not a number`, ""},
		{given("buildkitd-flags", "--debug --addr=tcp://0.0.0.0:1"), "the driver sets --addr itself", ""},
		{given("buildkitd-flags", "-root /x"), "the driver sets --root itself", ""},
		{given("buildkitd-flags", "'--debug"), "cannot be split", ""},
		{given("config", filepath.Join(dir, "none")), "no such file", ""},
		{given("config", dir), "is no file of at most", ""},
		{given("config", big), "is no file of at most", ""},
		{given("config", broken), "broken.toml: toml: line 2", ""},
		{given("env.A-B", "c"), `"A-B" is no name of a variable`, ""},
	} {
		if _, ok := c.given["org"]; !ok {
			c.given["org"] = "acme"
		}
		_, err := decode(c.given, noEnv)
		var wrong *driver.OptionError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) || !strings.Contains(driver.HintOf(err), c.hint) {
			t.Errorf("%v: %v, hint %q", c.given, err, driver.HintOf(err))
		}
	}
}

func TestDefaults(t *testing.T) {
	env := func(name string) string {
		return map[string]string{"CI_PROJECT_ROOT_NAMESPACE": "Acme Corp", "CI_COMMIT_REF_PROTECTED": "true"}[name]
	}
	o, err := decode(given(), env)
	if err != nil {
		t.Fatal(err)
	}
	if o.Builder != BuilderName("Acme Corp", true) || o.Kind != KindDeployment || o.Replicas != 1 || o.Image != DefaultImage || o.TTL != 24*time.Hour || !o.Keep {
		t.Errorf("%+v", o)
	}
	if o, err = decode(given("protected", "false", storageOption, "1Gi", "org", "other"), env); err != nil {
		t.Fatal(err)
	}
	if o.Builder != BuilderName("other", false) || o.Kind != KindStatefulSet {
		t.Errorf("%+v", o)
	}
	if _, err := decode(given("use-existing", "true", "builder", "theirs"), noEnv); err != nil {
		t.Error("a builder named outright needs no organisation to be used:", err)
	}
}

func TestOptionsAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range OptionDocs() {
		if o.Name == "" || seen[o.Name] || !strings.HasSuffix(o.Doc, ".") {
			t.Errorf("%+v", o)
		}
		seen[o.Name] = true
	}
	for _, name := range []string{"namespace", "replicas", "image", "requests.cpu", "limits.ephemeral-storage", "nodeselector", "tolerations", "annotations", "labels",
		"serviceaccount", "schedulername", "timeout", "loadbalance", "rootless", "buildkit-root-volume-memory", "persistent-volume-claim.requests.storage"} {
		if !seen[name] {
			t.Errorf("buildx has %q", name)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
