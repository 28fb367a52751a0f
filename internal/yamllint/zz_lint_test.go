package yamllint

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// in: lines of {"cfg":..., "text":...}; out: JSON list of strings
func TestZZLint(t *testing.T) {
	in, err := os.Open("/tmp/yl/lint.jsonl")
	if err != nil {
		t.Skip()
	}
	out, _ := os.Create("/tmp/yl/lint.out")
	w := bufio.NewWriter(out)
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 1<<28)
	cfgs := map[string]*Config{}
	for sc.Scan() {
		var c struct {
			Cfg, Text, File string
		}
		json.Unmarshal(sc.Bytes(), &c)
		cfg := cfgs[c.Cfg]
		if cfg == nil {
			y := c.Cfg
			if y == "default" || y == "relaxed" {
				y = "extends: " + y
			}
			cfg, err = ParseConfig([]byte(y), "cfg", nil)
			if err != nil {
				t.Fatal(c.Cfg, err)
			}
			cfgs[c.Cfg] = cfg
		}
		data := []byte(c.Text)
		if c.File != "" {
			data, _ = os.ReadFile(c.File)
		}
		r := []string{}
		for _, p := range Lint(data, "x.yaml", cfg) {
			r = append(r, fmt.Sprintf("%d:%d: [%s] %s (%s)", p.Line, p.Column, p.Level, p.Message, p.Rule))
		}
		b, _ := json.Marshal(r)
		w.Write(b)
		w.WriteByte('\n')
	}
	w.Flush()
}
