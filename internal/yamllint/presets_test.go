package yamllint

import "testing"

func TestPresetsAreRight(t *testing.T) {
	for name, cfg := range map[string]*Config{"default": Default(), "relaxed": Relaxed(), "charts": ForCharts()} {
		if _, on := cfg.Enabled("key-duplicates"); !on {
			t.Errorf("%s: key-duplicates is off", name)
		}
		if !cfg.IsYAMLFile("charts/web/values.yaml") || cfg.IsYAMLFile("charts/web/README.md") {
			t.Errorf("%s: wrong files are YAML files", name)
		}
	}
	if level, on := Default().Enabled("truthy"); !on || level != Warning {
		t.Errorf("default: truthy is %v, on %v", level, on)
	}
}
