package buildkit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/moby/buildkit/client"
	"golang.org/x/sync/errgroup"
)

// attempts is how many builders are asked for one image when they go away in mid-build.
const attempts = 3

// lostTime bounds the look into why a build ended, which may ask an API server.
const lostTime = 15 * time.Second

// one builds one image, again on another builder where the first went away.
func (r *Run) one(ctx context.Context, i *Image, key string, l *layouts) Result {
	began := time.Now()
	res := Result{Image: i, State: Failed}
	for attempt := 1; ; attempt++ {
		err := r.attempt(ctx, i, key, l, &res)
		res.Took = time.Since(began)
		if err == nil {
			res.State = Built
			return res
		}
		var lost *driver.LostError
		if ctx.Err() == nil && errors.As(err, &lost) && lost.Retry && attempt < attempts {
			r.Progress.note(i.Name, fmt.Sprintf("%v; building it again", lost))
			continue
		}
		res.Err = r.explain(ctx, i, err)
		return res
	}
}

// attempt builds one image on one builder.
func (r *Run) attempt(ctx context.Context, i *Image, key string, l *layouts, res *Result) error {
	builder, err := r.Driver.Builder(ctx, key)
	if err != nil {
		return err
	}
	res.Builder = builder.Name
	req, err := r.request(i)
	if err != nil {
		return err
	}
	if err := r.addNeeds(i, req, l); err != nil {
		return err
	}
	conn, err := connect(ctx, builder)
	if err != nil {
		return err
	}
	defer conn.Close()
	count := newCounter()
	answer, err := r.solve(ctx, conn, i, req, count)
	for _, finish := range req.finish {
		if ferr := finish(err == nil); ferr != nil && err == nil {
			err = fmt.Errorf("writing an output: %w", ferr)
		}
	}
	if err != nil && count.full && !noSpace.MatchString(err.Error()) {
		err = fmt.Errorf("%w; the step said: no space left on device", err)
	}
	if err != nil {
		return lost(ctx, builder, err)
	}
	res.Steps, res.Cached = count.count()
	res.Warnings = count.warnings
	res.Digest = answer.ExporterResponse["containerimage.digest"]
	res.Size = imageSize(ctx, conn, answer.ExporterResponse)
	for _, o := range req.opt.Exports {
		if push, _ := strconv.ParseBool(o.Attrs["push"]); push {
			res.Pushed = append(res.Pushed, strings.Split(o.Attrs["name"], ",")...)
		}
	}
	if l.wanted[i.Name] {
		l.put(i, res.Digest)
	}
	return nil
}

// connectionEnded is what a second dial says. gRPC hands on the words alone.
const connectionEnded = "the connection to the builder ended"

// killed is what a RUN step says whose daemon is being ended.
var killed = regexp.MustCompile(`signal: (killed|terminated)|exit code: (137|143)\b`)

// connect opens a client on one connection to the builder. It is never opened again: a
// build does not go on in another daemon than the one that it began in.
func connect(ctx context.Context, builder *driver.Builder) (*client.Client, error) {
	conn, err := builder.Dial(ctx)
	if err != nil {
		return nil, err
	}
	first := make(chan net.Conn, 1)
	first <- conn
	c, err := client.New(ctx, "passthrough:///builder", client.WithContextDialer(func(context.Context, string) (net.Conn, error) {
		select {
		case conn := <-first:
			return conn, nil
		default:
			return nil, errors.New(connectionEnded)
		}
	}))
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("connecting to %s: %w", builder.Name, err)
	}
	return c, nil
}

// solve runs the request and shows its progress. Status is drained to its end, without
// which the client would hang.
func (r *Run) solve(ctx context.Context, c *client.Client, i *Image, req *request, count *counter) (*client.SolveResponse, error) {
	status := make(chan *client.SolveStatus)
	var answer *client.SolveResponse
	var g errgroup.Group
	g.Go(func() (err error) {
		answer, err = c.Solve(ctx, nil, req.opt, status)
		return err
	})
	g.Go(func() error {
		for s := range status {
			count.add(s)
			r.Progress.update(i.Name, s)
		}
		return nil
	})
	return answer, g.Wait()
}

// lost asks the builder whether it is at fault, when a build on it ended with an error that
// a builder's end may be the reason of.
func lost(ctx context.Context, builder *driver.Builder, err error) error {
	if ctx.Err() != nil || builder.Lost == nil || !unavailable(err) && !killed.MatchString(err.Error()) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lostTime)
	defer cancel()
	if gone := builder.Lost(ctx); gone != nil {
		return errors.Join(gone, err)
	}
	return err
}

// addNeeds lets FROM and COPY --from use the names and tags of the images that this one
// needs, out of the layouts that those were exported to; and exports this one where others need it.
func (r *Run) addNeeds(i *Image, req *request, l *layouts) error {
	for _, name := range i.Needs {
		from := l.get(name)
		store, err := local.NewStore(from.dir)
		if err != nil {
			return fmt.Errorf("opening the layout of %q: %w", name, err)
		}
		if req.opt.OCIStores == nil {
			req.opt.OCIStores = map[string]content.Store{}
		}
		req.opt.OCIStores[name] = store
		for _, alias := range append([]string{name}, from.tags...) {
			req.opt.FrontendAttrs["context:"+contextName(alias)] = "oci-layout://" + name + "@" + from.digest
		}
	}
	if l.wanted[i.Name] {
		attrs := map[string]string{"tar": "false"}
		if err := r.imageAttrs(i, Output{Type: "oci"}, attrs); err != nil {
			return err
		}
		req.opt.Exports = append(req.opt.Exports, client.ExportEntry{Type: "oci", Attrs: attrs, OutputDir: l.folder(i)})
	}
	return nil
}
