// Command bench times chartgate beside what it stands in for, over the same charts in
// one run: the five shell jobs of a pipeline, chart-testing, helm template in a loop, and Helm's
// engine in process. It prints the ratios as a table, and as JSON with -json.
//
// The charts are generated (-charts, -seed), or those of a folder (-corpus). Programs are
// found on the PATH: tools/bench.sh brings them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-act" {
		if err := act(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.charts, "charts", 117, "how many charts to generate")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the generator")
	flag.StringVar(&o.corpus, "corpus", "", "a folder of charts to use instead; their dependencies must be in reach")
	flag.StringVar(&o.json, "json", "", "file to write the figures to")
	flag.StringVar(&o.work, "work", "", "folder to work in (default: a temporary one, removed at the end)")
	flag.IntVar(&o.runs, "runs", 3, "how often chartgate's runs are repeated; the median counts")
	only := flag.String("only", "", "names of what to run, separated by commas")
	flag.Parse()
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := bench(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

type options struct {
	charts, runs       int
	seed               uint64
	corpus, json, work string
	only               []string
}

// figure is one measurement. Times are in seconds, memory is of the largest process, in bytes.
type figure struct {
	Name   string  `json:"name"`
	Wall   float64 `json:"wall"`
	CPU    float64 `json:"cpu"`
	Memory int64   `json:"memory"`
	Note   string  `json:"note"`
}

func bench(ctx context.Context, o options) error {
	if o.work == "" {
		dir, err := os.MkdirTemp("", "chartgate-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.work = dir
	}
	place, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer place.close()
	var figures []figure
	for _, c := range contestants() {
		if len(o.only) > 0 && !slices.Contains(o.only, c.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", c.name, c.what)
		f, err := c.measure(ctx, place, o.runs)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		figures = append(figures, f)
	}
	figures = append(figures, sums(figures)...)
	print(figures)
	if o.json == "" {
		return nil
	}
	data, err := json.MarshalIndent(map[string]any{"schema": 1, "charts": place.count, "corpus": filepath.Base(o.corpus), "seed": o.seed, "when": time.Now().UTC().Format(time.RFC3339), "figures": figures, "ratios": ratios(figures)}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(data, '\n'), 0o644)
}

// sums are the five jobs one after another.
func sums(figures []figure) []figure {
	all := figure{Name: "five jobs"}
	n := 0
	for _, f := range figures {
		if strings.HasPrefix(f.Name, "job ") && f.Note == "" {
			n++
			all.Wall += f.Wall
			all.CPU += f.CPU
			all.Memory = max(all.Memory, f.Memory)
		}
	}
	if n < 5 {
		return nil
	}
	return []figure{all}
}

// ratio is how many times more another takes than chartgate.
type ratio struct {
	Name string  `json:"name"`
	Than string  `json:"than"`
	Wall float64 `json:"wall"`
	CPU  float64 `json:"cpu"`
}

func ratios(figures []figure) []ratio {
	by := map[string]figure{}
	for _, f := range figures {
		if f.Note == "" {
			by[f.Name] = f
		}
	}
	var out []ratio
	for _, pair := range [][2]string{
		{"five jobs", "chartgate cold"}, {"job lint-and-test", "chartgate cold"}, {"job kubesec", "chartgate cold"}, {"chart-testing", "chartgate cold"},
		{"helm template", "chartgate render pass"}, {"helm's engine", "chartgate render pass"},
		{"chartgate cold", "chartgate warm"}, {"chartgate cold", "chartgate one changed"}, {"chartgate cold", "chartgate one file"},
	} {
		a, okA := by[pair[0]]
		b, okB := by[pair[1]]
		if okA && okB {
			out = append(out, ratio{pair[0], pair[1], a.Wall / b.Wall, a.CPU / b.CPU})
		}
	}
	return out
}

func print(figures []figure) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\twall\tCPU\tmemory\t")
	for _, f := range figures {
		if f.Note != "" {
			fmt.Fprintf(w, "%s\t\t\t%s\t\n", f.Name, f.Note)
			continue
		}
		fmt.Fprintf(w, "%s\t%.2f s\t%.2f s\t%d MB\t\n", f.Name, f.Wall, f.CPU, f.Memory>>20)
	}
	fmt.Fprintln(w, "\t\t\t\t")
	for _, r := range ratios(figures) {
		fmt.Fprintf(w, "%s / %s\t%.1f\t%.1f\t\t\n", r.Name, r.Than, r.Wall, r.CPU)
	}
	w.Flush()
}
