package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// workload is what a Deployment and a StatefulSet have in common.
type workload struct {
	kind       string
	meta       metav1.ObjectMeta
	replicas   int32
	ready      int32 // of the status
	template   corev1.PodTemplateSpec
	claims     []corev1.PersistentVolumeClaim
	conditions []condition
}

// condition is one of a workload's status, of either kind.
type condition struct{ kind, status, reason, message string }

// annotationHostUsers remembers, on a workload, that its pods cannot have user namespaces here.
const (
	annotationHostUsers = "chartgate.io/host-users"
	unsupported         = "unsupported"
)

// workload is the manifest that the options ask for. It depends on nothing else but now, which
// is stamped as the last use.
func (o *Options) workload(hostUsers *bool, now time.Time) (*workload, error) {
	template, err := o.pod(hostUsers)
	if err != nil {
		return nil, err
	}
	claims, err := o.claims()
	if err != nil {
		return nil, err
	}
	w := &workload{kind: o.Kind, replicas: int32(o.Replicas), template: *template, claims: claims,
		meta: metav1.ObjectMeta{Name: o.Builder, Labels: o.allLabels(), Annotations: map[string]string{}}}
	for k, v := range o.Annotations {
		w.meta.Annotations[k] = v
	}
	hash := specHash(template)
	w.template.Annotations[AnnotationSpec] = hash
	for k, v := range map[string]string{AnnotationOrg: o.Org, AnnotationTTL: o.TTL.String(), AnnotationLastUse: FormatTime(now), AnnotationSpec: hash} {
		w.meta.Annotations[k] = v
	}
	if o.HostUsers == hostUsersAuto && hostUsers == nil {
		w.meta.Annotations[annotationHostUsers] = unsupported
	}
	return w, nil
}

// specHash is by what drift of the pods shows: the API server's defaults do not disturb it.
func specHash(template *corev1.PodTemplateSpec) string {
	b, err := json.Marshal(template)
	if err != nil {
		panic(fmt.Sprintf("a pod template that is no JSON: %v", err)) // plain data: it cannot be
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:16]
}

// selector is what the workload knows its pods by.
func (w *workload) selector() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{LabelBuilder: w.meta.Name}}
}

func (w *workload) deployment() *appsv1.Deployment {
	one, history := intstr.FromInt32(1), int32(2)
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: KindDeployment},
		ObjectMeta: w.meta,
		Spec: appsv1.DeploymentSpec{Replicas: &w.replicas, Selector: w.selector(), Template: w.template, RevisionHistoryLimit: &history,
			// One at a time in both ways, so that neither a full quota nor a full node stops it.
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &one, MaxUnavailable: &one}}},
	}
}

func (w *workload) statefulSet() *appsv1.StatefulSet {
	history := int32(2)
	return &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: KindStatefulSet},
		ObjectMeta: w.meta,
		Spec: appsv1.StatefulSetSpec{Replicas: &w.replicas, Selector: w.selector(), Template: w.template, RevisionHistoryLimit: &history,
			ServiceName: w.meta.Name, PodManagementPolicy: appsv1.ParallelPodManagement, VolumeClaimTemplates: w.claims,
			// What a builder keeps is a cache: it goes with the builder.
			PersistentVolumeClaimRetentionPolicy: &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
				WhenDeleted: appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
				WhenScaled:  appsv1.DeletePersistentVolumeClaimRetentionPolicyType}},
	}
}

func fromDeployment(d *appsv1.Deployment) *workload {
	w := &workload{kind: KindDeployment, meta: d.ObjectMeta, template: d.Spec.Template, replicas: 1, ready: d.Status.ReadyReplicas}
	if d.Spec.Replicas != nil {
		w.replicas = *d.Spec.Replicas
	}
	for _, c := range d.Status.Conditions {
		w.conditions = append(w.conditions, condition{string(c.Type), string(c.Status), c.Reason, c.Message})
	}
	return w
}

func fromStatefulSet(s *appsv1.StatefulSet) *workload {
	w := &workload{kind: KindStatefulSet, meta: s.ObjectMeta, template: s.Spec.Template, replicas: 1, ready: s.Status.ReadyReplicas, claims: s.Spec.VolumeClaimTemplates}
	if s.Spec.Replicas != nil {
		w.replicas = *s.Spec.Replicas
	}
	for _, c := range s.Status.Conditions {
		w.conditions = append(w.conditions, condition{string(c.Type), string(c.Status), c.Reason, c.Message})
	}
	return w
}
