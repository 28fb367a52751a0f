package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Kept is an expired builder that Prune left alone.
type Kept struct {
	Builder BuilderInfo
	Reason  string
}

// Remove removes a builder, whoever uses it. What does not bear this program's labels is not
// removed. It does not wait for the pods, which end by themselves; persistent volumes go with a
// builder, since its StatefulSet says so.
func (c *Client) Remove(ctx context.Context, name string) (BuilderInfo, error) {
	b, err := c.find(ctx, name)
	if err != nil {
		return BuilderInfo{}, err
	}
	if err := c.deleteWorkload(ctx, b, metav1.Preconditions{UID: &b.uid}); err != nil && !gone(err) {
		return BuilderInfo{}, c.apiError(ctx, fmt.Sprintf("removing the builder %q", name), "delete", resourceOf(b.Kind)+".apps", b.Org, err)
	}
	return b, nil
}

// Prune removes builders that have been idle for longer than their time to live at the time now. A
// builder that is used at that very moment stays: it is removed only as long as nothing has
// changed it since it was found idle. Kept are those that may not be removed or were in use after
// all; an error means that the builders could not be looked at.
func (c *Client) Prune(ctx context.Context, now time.Time) (removed []BuilderInfo, kept []Kept, err error) {
	builders, err := c.workloads(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range builders {
		if !b.Expired(now) {
			continue
		}
		done, reason := c.pruneOne(ctx, b, now)
		switch {
		case ctx.Err() != nil:
			return removed, kept, fmt.Errorf("pruning the builders: %w", context.Cause(ctx))
		case done:
			removed = append(removed, b)
		case reason != "":
			kept = append(kept, Kept{b, reason})
		}
	}
	return removed, kept, nil
}

// pruneTries is how often a builder whose status changes all the time is looked at again.
const pruneTries = 4

// pruneOne removes one builder, or says why not; neither where somebody else removed it.
func (c *Client) pruneOne(ctx context.Context, b BuilderInfo, now time.Time) (removed bool, reason string) {
	for range pruneTries {
		err := c.deleteWorkload(ctx, b, metav1.Preconditions{UID: &b.uid, ResourceVersion: &b.resourceVersion})
		switch {
		case err == nil:
			return true, ""
		case gone(err):
			return false, ""
		case !apierrors.IsConflict(err):
			return false, c.apiError(ctx, "removing it", "delete", resourceOf(b.Kind)+".apps", b.Org, err).Error()
		}
		fresh, err := c.find(ctx, b.Name)
		switch {
		case errors.Is(err, errNoBuilder):
			return false, ""
		case err != nil:
			return false, err.Error()
		case fresh.uid != b.uid || !fresh.Expired(now):
			return false, "it is in use again"
		}
		b = fresh
	}
	return false, "it keeps changing"
}

// errNoBuilder: there is no builder of that name.
var errNoBuilder = errors.New("there is no such builder")

// find gets a builder that is ours by its name.
func (c *Client) find(ctx context.Context, name string) (BuilderInfo, error) {
	op := fmt.Sprintf("looking for the builder %q", name)
	if !dnsName(name) { // which the client would make a path of
		return BuilderInfo{}, &driver.Error{Op: op, Err: errNoBuilder, Hint: "chartgate builder ls names those that there are"}
	}
	foreignKind := ""
	d, err := c.apps.Deployments(c.Namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case err == nil && IsOurs(d.Labels):
		return ofDeployment(d), nil
	case err == nil:
		foreignKind = KindDeployment
	case !gone(err):
		return BuilderInfo{}, c.apiError(ctx, op, "get", "deployments.apps", "", err)
	}
	s, err := c.apps.StatefulSets(c.Namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case err == nil && IsOurs(s.Labels):
		return ofStatefulSet(s), nil
	case err == nil:
		foreignKind = KindStatefulSet
	case !gone(err):
		return BuilderInfo{}, c.apiError(ctx, op, "get", "statefulsets.apps", "", err)
	}
	if foreignKind != "" {
		return BuilderInfo{}, &driver.Error{Op: op, Err: fmt.Errorf("the %s of this name in namespace %q is not chartgate's", foreignKind, c.Namespace),
			Hint: "what is chartgate's bears the labels " + strings.ReplaceAll(Selector(), ",", " and ")}
	}
	return BuilderInfo{}, &driver.Error{Op: op, Err: fmt.Errorf("%w in namespace %q", errNoBuilder, c.Namespace),
		Hint: "chartgate builder ls names those that there are"}
}

// deleteWorkload asks for the deletion of a builder, its pods after it.
func (c *Client) deleteWorkload(ctx context.Context, b BuilderInfo, only metav1.Preconditions) error {
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{Preconditions: &only, PropagationPolicy: &background}
	if b.Kind == KindStatefulSet {
		return c.apps.StatefulSets(c.Namespace).Delete(ctx, b.Name, options)
	}
	return c.apps.Deployments(c.Namespace).Delete(ctx, b.Name, options)
}

// dnsName says whether a name can be that of an object, and a label's value.
func dnsName(name string) bool {
	return len(name) <= 63 && len(validation.IsDNS1123Label(name)) == 0
}
