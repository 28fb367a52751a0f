package versioncheck

import (
	"strings"
	"testing"

	"github.com/chartgate/chartgate/internal/lint/linttest"
	"github.com/google/go-cmp/cmp"
)

func meta(name, version, more string) string {
	return "apiVersion: v2\nname: " + name + "\nversion: " + version + "\n" + more
}

func TestAgainstBase(t *testing.T) {
	base := map[string]string{
		"charts/web/Chart.yaml":         meta("web", "1.2.0", "dependencies:\n- {name: lib, version: 1.x, repository: file://../lib}\n"),
		"charts/web/templates/a.yaml":   "a: 1\n",
		"charts/web/.helmignore":        "orgs/\n",
		"charts/web/orgs/a/values.yaml": "a: 1\n",
		"charts/lib/Chart.yaml":         meta("lib", "1.0.0", "type: library\n"),
		"charts/lib/templates/_lib.tpl": "x",
	}
	web := base["charts/web/Chart.yaml"]
	for name, tc := range map[string]struct {
		change map[string]string
		want   []string
	}{
		"nothing":               {nil, nil},
		"content":               {map[string]string{"charts/web/templates/a.yaml": "a: 2\n"}, []string{"charts/web/Chart.yaml error bump: changed since 0123456789ab without a new version: templates/a.yaml"}},
		"content and version":   {map[string]string{"charts/web/templates/a.yaml": "a: 2\n", "charts/web/Chart.yaml": strings.Replace(web, "1.2.0", "1.2.1", 1)}, nil},
		"what is not published": {map[string]string{"charts/web/orgs/a/values.yaml": "a: 2\n"}, nil},
		"backwards":             {map[string]string{"charts/web/Chart.yaml": strings.Replace(web, "1.2.0", "1.1.9", 1)}, []string{"charts/web/Chart.yaml error backwards: the version goes back from 1.2.0 to 1.1.9"}},
		"to a pre-release":      {map[string]string{"charts/web/Chart.yaml": strings.Replace(web, "1.2.0", "1.2.0-rc.1", 1)}, []string{"charts/web/Chart.yaml error backwards: the version goes back from 1.2.0 to 1.2.0-rc.1"}},
		"dependency": {map[string]string{"charts/lib/templates/_lib.tpl": "y"}, []string{
			"charts/lib/Chart.yaml error bump: changed since 0123456789ab without a new version: templates/_lib.tpl",
			"charts/web/Chart.yaml error bump: changed since 0123456789ab without a new version: its dependency lib (templates/_lib.tpl)"}},
		"dependency with a version of its own": {map[string]string{"charts/lib/Chart.yaml": meta("lib", "1.1.0", "type: library\n")}, []string{
			"charts/web/Chart.yaml error bump: changed since 0123456789ab without a new version: its dependency lib (Chart.yaml)"}},
		"pin": {map[string]string{"charts/lib/Chart.yaml": meta("lib", "2.0.0", "type: library\n"), "charts/web/Chart.yaml": strings.Replace(web, "1.2.0", "1.3.0", 1)}, []string{
			"charts/web/Chart.yaml error pin: depends on lib 1.x, and charts/lib is at 2.0.0"}},
		"not SemVer":   {map[string]string{"charts/web/Chart.yaml": strings.Replace(web, "1.2.0", "v1.2.0", 1)}, []string{`charts/web/Chart.yaml error semver: version "v1.2.0" is not SemVer 2: invalid characters in version`}},
		"leading zero": {map[string]string{"charts/web/Chart.yaml": strings.Replace(web, "1.2.0", "1.3.0-mr.12.0123", 1)}, []string{`charts/web/Chart.yaml error semver: version "1.3.0-mr.12.0123" is not SemVer 2: version segment starts with 0`}},
		"new chart":    {map[string]string{"charts/new/Chart.yaml": meta("new", "0.1.0", "")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for k, v := range base {
				files[k] = v
			}
			for k, v := range tc.change {
				files[k] = v
			}
			found, outcomes := linttest.Run(t, New(nil), files, base)
			if diff := cmp.Diff(tc.want, linttest.Lines(found)); diff != "" {
				t.Error(diff)
			}
			for _, o := range outcomes {
				if o.State != "ran" {
					t.Errorf("%+v", o)
				}
			}
		})
	}
}

// A chart that moved into the house layout is still the chart that it was.
func TestMovedChart(t *testing.T) {
	base := map[string]string{"charts/web/Chart.yaml": meta("web", "1.0.0", ""), "charts/web/templates/a.yaml": "a: 1\n"}
	files := map[string]string{"charts/web/Chart/Chart.yaml": meta("web", "1.0.0", ""), "charts/web/Chart/templates/a.yaml": "a: 2\n"}
	found, _ := linttest.Run(t, New(nil), files, base)
	if len(found) != 1 || found[0].Rule != "bump" || found[0].Line != 3 || found[0].Column != 10 {
		t.Errorf("%+v", found)
	}
}

func TestPublishedPins(t *testing.T) {
	files := map[string]string{
		"charts/web/Chart.yaml": meta("web", "1.0.0", "dependencies:\n- {name: lib, version: 1.0.0, repository: 'oci://registry.example.com/charts/'}\n- {name: lib, alias: l, version: 1.0.0, repository: 'oci://elsewhere.example.com/charts'}\n"),
		"charts/lib/Chart.yaml": meta("lib", "1.1.0", ""),
	}
	found, _ := linttest.Run(t, New([]string{"oci://registry.example.com/charts"}), files, nil)
	want := []string{"charts/web/Chart.yaml warning outdated-pin: depends on lib 1.0.0, and charts/lib is at 1.1.0"}
	if diff := cmp.Diff(want, linttest.Lines(found)); diff != "" {
		t.Error(diff)
	}
}
