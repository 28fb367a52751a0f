package kubernetes

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// BuilderInfo is what the cluster says of a builder.
type BuilderInfo struct {
	Name      string
	Namespace string
	Org       string // as it was given; "" where the builder is of somebody else's making
	Protected bool
	Kind      string // KindDeployment or KindStatefulSet
	Ready     int    // pods that answer
	Wanted    int    // pods that there should be
	Pods      []PodInfo
	Image     string
	Version   string    // the image's tag
	Created   time.Time // to the second, as are the others
	LastUse   time.Time // zero: never, or nobody wrote it down
	TTL       time.Duration
	Expires   time.Time // when it may be removed as idle; zero: never
	Removing  bool      // it is being removed already

	uid             types.UID
	resourceVersion string
}

// PodInfo is one pod of a builder.
type PodInfo struct {
	Name  string
	Node  string // "" while it waits for one
	State string // Pending, Running, Succeeded, Failed, Unknown, or Terminating
	Ready bool
}

// Expired says whether the builder has been idle for longer than its time to live.
func (b BuilderInfo) Expired(now time.Time) bool {
	return !b.Removing && !b.Expires.IsZero() && now.After(b.Expires)
}

// List finds the namespace's builders, those of other organisations as well, by name.
func (c *Client) List(ctx context.Context) ([]BuilderInfo, error) {
	builders, err := c.workloads(ctx)
	if err != nil {
		return nil, err
	}
	pods, err := every(ctx, Selector(), func(ctx context.Context, o metav1.ListOptions) ([]corev1.Pod, string, error) {
		list, err := c.core.Pods(c.Namespace).List(ctx, o)
		return list.Items, list.Continue, err
	})
	if err != nil {
		return nil, c.apiError(ctx, "listing the builders' pods", "list", "pods", "", err)
	}
	for i := range builders {
		for _, pod := range pods {
			if pod.Labels[LabelBuilder] == builders[i].Name {
				builders[i].Pods = append(builders[i].Pods, podInfo(pod))
			}
		}
		slices.SortFunc(builders[i].Pods, func(a, b PodInfo) int { return strings.Compare(a.Name, b.Name) })
	}
	return builders, nil
}

// workloads are the namespace's builders without their pods.
func (c *Client) workloads(ctx context.Context) ([]BuilderInfo, error) {
	const op = "listing the builders"
	var out []BuilderInfo
	deployments, err := every(ctx, Selector(), func(ctx context.Context, o metav1.ListOptions) ([]appsv1.Deployment, string, error) {
		list, err := c.apps.Deployments(c.Namespace).List(ctx, o)
		return list.Items, list.Continue, err
	})
	if err != nil {
		return nil, c.apiError(ctx, op, "list", "deployments.apps", "", err)
	}
	for i := range deployments {
		if IsOurs(deployments[i].Labels) {
			out = append(out, ofDeployment(&deployments[i]))
		}
	}
	sets, err := every(ctx, Selector(), func(ctx context.Context, o metav1.ListOptions) ([]appsv1.StatefulSet, string, error) {
		list, err := c.apps.StatefulSets(c.Namespace).List(ctx, o)
		return list.Items, list.Continue, err
	})
	if err != nil {
		return nil, c.apiError(ctx, op, "list", "statefulsets.apps", "", err)
	}
	for i := range sets {
		if IsOurs(sets[i].Labels) {
			out = append(out, ofStatefulSet(&sets[i]))
		}
	}
	slices.SortFunc(out, func(a, b BuilderInfo) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Kind, b.Kind))
	})
	return out, nil
}

const (
	pageSize = 200
	maxPages = 50 // a namespace of ten thousand builders is not one
)

// every asks for a list page by page.
func every[T any](ctx context.Context, selector string, page func(context.Context, metav1.ListOptions) ([]T, string, error)) ([]T, error) {
	var out []T
	options := metav1.ListOptions{LabelSelector: selector, Limit: pageSize}
	for range maxPages {
		items, more, err := page(ctx, options)
		if err != nil {
			return nil, err
		}
		if out = append(out, items...); more == "" {
			break
		}
		options.Continue = more
	}
	return out, nil
}

func ofDeployment(d *appsv1.Deployment) BuilderInfo {
	b := infoOf(&d.ObjectMeta, &d.Spec.Template.Spec, d.Spec.Replicas)
	b.Kind, b.Ready = KindDeployment, int(d.Status.ReadyReplicas)
	return b
}

func ofStatefulSet(s *appsv1.StatefulSet) BuilderInfo {
	b := infoOf(&s.ObjectMeta, &s.Spec.Template.Spec, s.Spec.Replicas)
	b.Kind, b.Ready = KindStatefulSet, int(s.Status.ReadyReplicas)
	return b
}

func infoOf(meta *metav1.ObjectMeta, pod *corev1.PodSpec, replicas *int32) BuilderInfo {
	b := BuilderInfo{Name: meta.Name, Namespace: meta.Namespace, Org: foreign(cmp.Or(meta.Annotations[AnnotationOrg], meta.Labels[LabelOrg])),
		Protected: meta.Labels[LabelProtected] == "true", Wanted: 1, Created: meta.CreationTimestamp.Time,
		LastUse: ParseTime(meta.Annotations[AnnotationLastUse]), Removing: meta.DeletionTimestamp != nil,
		uid: meta.UID, resourceVersion: meta.ResourceVersion}
	if replicas != nil {
		b.Wanted = int(*replicas)
	}
	if len(pod.Containers) > 0 {
		b.Image = foreign(pod.Containers[0].Image)
		b.Version = tagOf(b.Image)
	}
	// A builder whose time to live cannot be read is not removed for it.
	if ttl, err := time.ParseDuration(meta.Annotations[AnnotationTTL]); err == nil && ttl > 0 {
		idle := b.Created
		if b.LastUse.After(idle) {
			idle = b.LastUse
		}
		b.TTL, b.Expires = ttl, idle.Add(ttl)
	}
	return b
}

// tagOf is the tag of an image's reference, "" if it has none.
func tagOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name := image[strings.LastIndexByte(image, '/')+1:]
	_, tag, _ := strings.Cut(name, ":")
	return tag
}

func podInfo(pod corev1.Pod) PodInfo {
	p := PodInfo{Name: pod.Name, Node: pod.Spec.NodeName, State: string(pod.Status.Phase)}
	if pod.DeletionTimestamp != nil {
		p.State = "Terminating"
	}
	for _, cond := range pod.Status.Conditions {
		if cond.Type == corev1.PodReady {
			p.Ready = cond.Status == corev1.ConditionTrue
		}
	}
	return p
}
