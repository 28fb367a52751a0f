package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// errAgain is a workload that changed between being read and being written.
var errAgain = errors.New("somebody else is changing it at the same time")

// maxRounds is how often a change that somebody else forestalled is tried again.
const maxRounds = 20

// ensure creates the workload or makes it be what the options want, and returns it. Several jobs may
// do so at once: whoever comes second finds it done.
func (d *Driver) ensure(ctx context.Context) (*workload, error) {
	for range maxRounds {
		w, err := d.ensureOnce(ctx)
		if !errors.Is(err, errAgain) {
			return w, err
		}
		if !sleep(ctx, d.pace.poll) {
			return nil, d.failed("preparing", context.Cause(ctx), "")
		}
	}
	return nil, d.failed("preparing", errAgain,
		"see whether other jobs, or an operator, want it to be different: kubectl get "+resourceOf(d.o.Kind)+" "+d.o.Builder+" -o yaml")
}

// failed is an error about the builder as a whole.
func (d *Driver) failed(op string, err error, hint string) *driver.Error {
	return &driver.Error{Op: fmt.Sprintf("%s builder %q in namespace %q", op, d.o.Builder, d.client.Namespace), Err: err, Hint: hint}
}

func (d *Driver) ensureOnce(ctx context.Context) (*workload, error) {
	existing, err := d.client.workload(ctx, d.o.Kind, d.o.Builder)
	switch {
	case apierrors.IsNotFound(err) && d.o.UseExisting:
		return nil, d.failed("looking for", fmt.Errorf("there is no %s of this name", d.o.Kind),
			"leave out use-existing to have it created, or name another with the option builder; chartgate builder ls lists them")
	case apierrors.IsNotFound(err):
		return d.make(ctx)
	case err != nil:
		return nil, d.fail(ctx, "looking for", "get", err)
	}
	if err := d.mayUse(existing); err != nil {
		return nil, err
	}
	if existing.meta.DeletionTimestamp != nil {
		d.host.Log(fmt.Sprintf("builder %s: waiting until the old one is removed", d.o.Builder))
		return nil, errAgain
	}
	if d.o.UseExisting {
		return existing, nil
	}
	return d.adjust(ctx, existing)
}

// mayUse refuses what is not ours and what serves somebody else.
func (d *Driver) mayUse(w *workload) error {
	problem := ""
	switch l := w.meta.Labels; {
	case !IsOurs(l):
		problem = "it was not created by chartgate, whose labels it lacks"
	case d.o.Org != "" && l[LabelOrg] != LabelValue(d.o.Org):
		problem = fmt.Sprintf("it serves the organisation %q, not %q, and a builder is never shared", l[LabelOrg], d.o.Org)
	case l[LabelProtected] != strconv.FormatBool(d.o.Protected):
		problem = fmt.Sprintf("it has %s=%s, and protected refs never share a builder with others", LabelProtected, l[LabelProtected])
	case l[LabelBuilder] != w.meta.Name:
		problem = fmt.Sprintf("its label %s is %q", LabelBuilder, l[LabelBuilder])
	default:
		return nil
	}
	return d.failed("using", fmt.Errorf("this %s is not for this job: %s", w.kind, foreign(problem)),
		"give another name with the option builder, or leave it out")
}

// make creates the workload.
func (d *Driver) make(ctx context.Context) (*workload, error) {
	other := KindStatefulSet
	if d.o.Kind == other {
		other = KindDeployment
	}
	if w, err := d.client.workload(ctx, other, d.o.Builder); err == nil && w.meta.DeletionTimestamp == nil {
		return nil, d.failed("creating", fmt.Errorf("it exists as a %s, and a %s is wanted", other, d.o.Kind),
			"chartgate builder rm "+d.o.Builder+", or give another name with the option builder")
	}
	users, err := d.hostUsers(ctx)
	if err != nil {
		return nil, err
	}
	want, err := d.o.workload(users, d.clock())
	if err != nil {
		return nil, err
	}
	made, err := d.client.create(ctx, want, false)
	if apierrors.IsAlreadyExists(err) {
		return nil, errAgain
	}
	if err != nil {
		return nil, d.fail(ctx, "creating", "create", err)
	}
	d.mu.Lock()
	d.made, d.madeAt = made.meta.UID, want.meta.Annotations[AnnotationLastUse]
	d.mu.Unlock()
	d.host.Log(fmt.Sprintf("builder %s: created %s %s/%s with %s", d.o.Builder, d.o.Kind, d.client.Namespace, d.o.Builder, plural(d.o.Replicas, "pod")))
	return made, nil
}

// adjust makes the workload be what the options want, and marks it as used.
func (d *Driver) adjust(ctx context.Context, existing *workload) (*workload, error) {
	switch no := false; {
	case keepsUsers(existing) && d.o.HostUsers != hostUsersTrue && existing.ready > 0 && !d.isDecided():
		d.decide(&no) // it works
	case d.o.HostUsers == hostUsersAuto && existing.meta.Annotations[annotationHostUsers] == unsupported:
		d.decide(nil)
	}
	users, err := d.hostUsers(ctx)
	if err != nil {
		return nil, err
	}
	want, err := d.o.workload(users, d.clock())
	if err != nil {
		return nil, err
	}
	if d.o.Kind == KindStatefulSet && !sameClaims(existing, want) {
		return nil, d.failed("adjusting", errors.New("its persistent volumes differ from what the options ask for, and cannot be changed"),
			"chartgate builder rm "+d.o.Builder+" removes it and its volumes; or give another name with the option builder")
	}
	drift := difference(existing, want)
	if drift == "" {
		if err := d.stamp(ctx); err != nil {
			return nil, d.changed(ctx, err)
		}
		return existing, nil
	}
	d.host.Log(fmt.Sprintf("builder %s: %s: adjusting it", d.o.Builder, drift))
	annotations := maps.Clone(existing.meta.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	delete(annotations, annotationHostUsers)
	maps.Copy(annotations, want.meta.Annotations)
	w, err := d.client.patch(ctx, d.o.Kind, d.o.Builder, types.JSONPatchType, driftPatch(want, existing.meta.ResourceVersion, annotations))
	if err != nil {
		return nil, d.changed(ctx, err)
	}
	return w, nil
}

// changed tells a workload that somebody else changed or removed meanwhile from other faults.
func (d *Driver) changed(ctx context.Context, err error) error {
	if apierrors.IsConflict(err) || gone(err) {
		return errAgain
	}
	return d.fail(ctx, "adjusting", "patch", err)
}

func (d *Driver) fail(ctx context.Context, op, verb string, err error) error {
	return d.client.apiError(ctx, d.failed(op, nil, "").Op, verb, resourceOf(d.o.Kind)+".apps", d.o.Org, err)
}

// difference says what of a workload is not as wanted; "" if nothing.
func difference(is, want *workload) string {
	var all []string
	if is.meta.Annotations[AnnotationSpec] != want.meta.Annotations[AnnotationSpec] || is.template.Annotations[AnnotationSpec] != want.template.Annotations[AnnotationSpec] {
		all = append(all, "its pods are not as the options ask for")
	}
	if is.replicas != want.replicas {
		all = append(all, fmt.Sprintf("it has %s and not %d", plural(int(is.replicas), "pod"), want.replicas))
	}
	return strings.Join(all, "; ")
}

// sameClaims compares what was asked for; what the API server filled in does not count.
func sameClaims(is, want *workload) bool {
	if len(is.claims) != len(want.claims) {
		return false
	}
	for i, c := range want.claims {
		have := is.claims[i].Spec
		if !equality.Semantic.DeepEqual(have.Resources.Requests, c.Spec.Resources.Requests) {
			return false
		}
		if c.Spec.StorageClassName != nil && (have.StorageClassName == nil || *have.StorageClassName != *c.Spec.StorageClassName) {
			return false
		}
	}
	return true
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// sleep waits, and says whether the context lasted.
func sleep(ctx context.Context, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
