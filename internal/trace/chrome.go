package trace

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// event is one line of a Chrome trace in the JSON array format: ph "X" is a
// complete event, with ts and dur in microseconds; "M" names a lane.
type event struct {
	Name     string            `json:"name"`
	Category string            `json:"cat,omitempty"`
	Kind     string            `json:"ph"`
	Start    int64             `json:"ts"`
	Duration int64             `json:"dur"`
	Process  int               `json:"pid"`
	Lane     int               `json:"tid"`
	Args     map[string]string `json:"args,omitempty"`
}

// writer streams events. A nil writer takes everything and writes nothing.
type writer struct {
	w    *bufio.Writer
	err  error // the first that writing met; nothing is written after it
	mark string
}

func newWriter(w io.Writer) *writer {
	out := &writer{w: bufio.NewWriterSize(w, 64<<10), mark: "[\n"}
	out.write(event{Name: "process_name", Kind: "M", Args: map[string]string{"name": "chartgate"}})
	out.write(event{Name: "thread_name", Kind: "M", Args: map[string]string{"name": "phases"}})
	return out
}

// lane names the lane of a worker.
func (w *writer) lane(n int) {
	if w != nil {
		w.write(event{Name: "thread_name", Kind: "M", Lane: n, Args: map[string]string{"name": fmt.Sprintf("worker %d", n)}})
	}
}

func (w *writer) event(e event) {
	if w != nil {
		e.Kind = "X"
		w.write(e)
	}
}

func (w *writer) write(e event) {
	e.Process = 1
	line, err := json.Marshal(e)
	if err == nil {
		_, err = w.w.WriteString(w.mark + string(line))
	}
	w.mark = ",\n"
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) close() error {
	if w == nil {
		return nil
	}
	if _, err := w.w.WriteString("\n]\n"); w.err == nil {
		w.err = err
	}
	if err := w.w.Flush(); w.err == nil {
		w.err = err
	}
	return w.err
}
