package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const maxBackoff = 10 * time.Second

// retryPolicy says when a request is sent again and how long to wait before.
type retryPolicy struct {
	retries int           // attempts after the first
	maxWait time.Duration // sum of the waits of one request
	base    time.Duration // the first wait, doubled each time
	now     func() time.Time
}

// retryTransport sends a request again where the server asks for it (429, 502,
// 503, 504) or the connection broke, if the body can be sent again. It honours
// Retry-After in both its forms. When the budget of attempts or of time is spent,
// or the server wants to be left alone for longer than it lasts, the last answer
// is returned as it is.
type retryTransport struct {
	next http.RoundTripper
	wire *wiring
}

// RoundTrip implements http.RoundTripper.
func (t *retryTransport) RoundTrip(orig *http.Request) (*http.Response, error) {
	ctx, policy := orig.Context(), t.wire.retry
	var waited time.Duration
	for attempt := 0; ; attempt++ {
		req, err := t.prepare(orig, attempt)
		if err != nil {
			return nil, err
		}
		resp, err := t.next.RoundTrip(req)
		note(ctx, req, resp, err)
		if attempt >= policy.retries || !rewindable(orig) || !again(resp, err) {
			return resp, err
		}
		wait, ok := policy.wait(attempt, resp)
		if !ok || waited+wait > policy.maxWait {
			return resp, err
		}
		if resp != nil {
			discard(resp)
		}
		waited += wait
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// prepare clones the request, since a RoundTripper must leave its own alone.
func (t *retryTransport) prepare(orig *http.Request, attempt int) (*http.Request, error) {
	req := orig.Clone(orig.Context())
	req.Header.Set("User-Agent", t.wire.userAgent)
	if attempt > 0 && orig.GetBody != nil {
		body, err := orig.GetBody()
		if err != nil {
			return nil, fmt.Errorf("rewinding the body: %w", err)
		}
		req.Body = body
	}
	return req, nil
}

func rewindable(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

func again(resp *http.Response, err error) bool {
	if err != nil {
		return transient(err)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// wait is how long to wait after an attempt; false if the server asks for more
// than the whole budget.
func (p *retryPolicy) wait(attempt int, resp *http.Response) (time.Duration, bool) {
	wait := min(p.base<<min(attempt, 20), maxBackoff)
	wait = wait/2 + rand.N(wait/2+1) // jobs that failed together do not come back together
	if resp == nil {
		return wait, true
	}
	if asked, ok := parseRetryAfter(resp.Header.Get("Retry-After"), p.now()); ok {
		return max(asked, wait), asked <= p.maxWait
	}
	return wait, true
}

// parseRetryAfter reads the header's two forms, seconds and an HTTP date. The
// result is never negative and at most a day.
func parseRetryAfter(value string, now time.Time) (time.Duration, bool) {
	const day = 24 * time.Hour
	value = strings.TrimSpace(value)
	if value == "" || len(value) > 64 {
		return 0, false
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(day/time.Second) {
			return day, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), day), true
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// discard reads a little of a body that nobody wants, so that the connection can
// be used again, and closes it.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 16<<10)
	_ = resp.Body.Close()
}

// repeat runs f again if reading its answer broke off, which the transport cannot
// see. Each run starts from the beginning.
func (c *Client) repeat(ctx context.Context, f func() error) error {
	for attempt := 0; ; attempt++ {
		err := f()
		var sent *url.Error // the transport has tried that one already
		if err == nil || attempt >= c.retry.retries || errors.As(err, &sent) || !transient(err) || ctx.Err() != nil {
			return err
		}
		trailOf(ctx).add("reading the answer: " + rootCause(err))
		wait, _ := c.retry.wait(attempt, nil)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}
