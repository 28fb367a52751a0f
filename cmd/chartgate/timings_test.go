package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// traceEvent is what a viewer reads of an event.
type traceEvent struct {
	Name     string            `json:"name"`
	Category string            `json:"cat"`
	Kind     string            `json:"ph"`
	Start    *int64            `json:"ts"`
	Duration *int64            `json:"dur"`
	Process  *int              `json:"pid"`
	Lane     *int              `json:"tid"`
	Args     map[string]string `json:"args"`
}

// checkTrace is the program checktrace FILE CATEGORY…: it fails unless the file is a
// Chrome trace with events of just these categories, whose lanes do not overlap.
func checkTrace() {
	if err := checkTraceFile(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func checkTraceFile(name string, categories []string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var events []traceEvent
	if err := json.Unmarshal(data, &events); err != nil {
		return err
	}
	lanes := map[int][]traceEvent{}
	seen := map[string]bool{}
	for _, e := range events {
		if e.Name == "" || e.Process == nil || e.Lane == nil || e.Kind != "M" && (e.Kind != "X" || e.Start == nil || e.Duration == nil || *e.Duration < 0) {
			return fmt.Errorf("no event: %+v", e)
		}
		if e.Kind == "X" {
			seen[e.Category] = true
			lanes[*e.Lane] = append(lanes[*e.Lane], e)
		}
	}
	for _, c := range categories {
		if !seen[c] {
			return fmt.Errorf("no event of category %q", c)
		}
		delete(seen, c)
	}
	delete(seen, "job") // there are some wherever charts are loaded
	if len(seen) > 0 {
		return fmt.Errorf("events of the categories %v", seen)
	}
	for lane, in := range lanes {
		if s := overlapping(in); s != "" {
			return fmt.Errorf("lane %d: %s", lane, s)
		}
	}
	return nil
}

// overlapping finds two events of which neither holds the other.
func overlapping(events []traceEvent) string {
	end := func(e traceEvent) int64 { return *e.Start + *e.Duration }
	slices.SortFunc(events, func(a, b traceEvent) int {
		return cmp.Or(cmp.Compare(*a.Start, *b.Start), cmp.Compare(*b.Duration, *a.Duration), strings.Compare(a.Category, b.Category))
	})
	var open []traceEvent
	for _, e := range events {
		for len(open) > 0 && end(open[len(open)-1]) <= *e.Start {
			open = open[:len(open)-1]
		}
		if len(open) > 0 && end(e) > end(open[len(open)-1]) {
			return fmt.Sprintf("%s overlaps %s", open[len(open)-1].Name, e.Name)
		}
		open = append(open, e)
	}
	return ""
}
