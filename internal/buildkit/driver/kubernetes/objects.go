package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// maxPods bounds how many pods of a builder are looked at.
const maxPods = 500

// resourceOf is how roles name a kind.
func resourceOf(kind string) string { return strings.ToLower(kind) + "s" }

// workload reads a workload; its error is the API's own.
func (c *Client) workload(ctx context.Context, kind, name string) (*workload, error) {
	if kind == KindStatefulSet {
		s, err := c.apps.StatefulSets(c.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		return fromStatefulSet(s), nil
	}
	d, err := c.apps.Deployments(c.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return fromDeployment(d), nil
}

// create makes a workload, or with dry only asks what would become of it.
func (c *Client) create(ctx context.Context, w *workload, dry bool) (*workload, error) {
	opts := metav1.CreateOptions{FieldManager: ManagedBy}
	if dry {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	if w.kind == KindStatefulSet {
		s, err := c.apps.StatefulSets(c.Namespace).Create(ctx, w.statefulSet(), opts)
		if err != nil {
			return nil, err
		}
		return fromStatefulSet(s), nil
	}
	d, err := c.apps.Deployments(c.Namespace).Create(ctx, w.deployment(), opts)
	if err != nil {
		return nil, err
	}
	return fromDeployment(d), nil
}

// patch changes a workload. The right to patch serves for stamps and for new pods alike, so
// that a Role needs no update.
func (c *Client) patch(ctx context.Context, kind, name string, how types.PatchType, body []byte) (*workload, error) {
	opts := metav1.PatchOptions{FieldManager: ManagedBy}
	if kind == KindStatefulSet {
		s, err := c.apps.StatefulSets(c.Namespace).Patch(ctx, name, how, body, opts)
		if err != nil {
			return nil, err
		}
		return fromStatefulSet(s), nil
	}
	d, err := c.apps.Deployments(c.Namespace).Patch(ctx, name, how, body, opts)
	if err != nil {
		return nil, err
	}
	return fromDeployment(d), nil
}

// pods lists a builder's pods, by name.
func (c *Client) pods(ctx context.Context, builder string) ([]corev1.Pod, error) {
	list, err := c.core.Pods(c.Namespace).List(ctx, metav1.ListOptions{LabelSelector: LabelBuilder + "=" + builder, Limit: maxPods})
	if err != nil {
		return nil, err
	}
	sort.Slice(list.Items, func(i, j int) bool { return list.Items[i].Name < list.Items[j].Name })
	return list.Items, nil
}

// stampPatch sets annotations and leaves the rest alone, so that it never conflicts.
func stampPatch(annotations map[string]string) []byte {
	return mustJSON(map[string]any{"metadata": map[string]any{"annotations": annotations}})
}

// driftPatch makes w out of what runs. It carries the version that was read, so that of two who want
// different things at once one is told.
func driftPatch(w *workload, version string, annotations map[string]string) []byte {
	return mustJSON([]map[string]any{
		{"op": "add", "path": "/metadata/resourceVersion", "value": version},
		{"op": "add", "path": "/metadata/annotations", "value": annotations},
		{"op": "replace", "path": "/spec/replicas", "value": w.replicas},
		{"op": "replace", "path": "/spec/template", "value": w.template},
	})
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("an API object that is no JSON: %v", err)) // plain data: it cannot be
	}
	return b
}
