package kubernetes

import (
	"fmt"
	"sort"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	containerName = "buildkitd"
	stateVolume   = "state"
	stateDir      = "/home/user/.local/share/buildkit"
	ownUser       = 1000 // of the rootless image
)

// waitForBuilds holds a pod that is to end until nobody is connected any more: every build has its
// dial-stdio among the container's processes. It needs nothing of the image but sh and cat.
const waitForBuilds = `busy=1
while [ $busy = 1 ]; do
  busy=0
  for f in /proc/[0-9]*/cmdline; do
    case "$(cat $f 2>/dev/null)" in *dial-stdio) busy=1; sleep 1; break;; esac
  done
done 2>/dev/null`

// endGrace is how long the daemon itself may take to end.
const endGrace = 30 * time.Second

// pod is the template of the builder's pods. hostUsers is nil where the cluster decides.
func (o *Options) pod(hostUsers *bool) (*corev1.PodTemplateSpec, error) {
	container, err := o.container()
	if err != nil {
		return nil, err
	}
	tolerations, err := o.tolerations()
	if err != nil {
		return nil, err
	}
	annotations := map[string]string{}
	for k, v := range o.Annotations {
		annotations[k] = v
	}
	no, grace := false, int64((o.Drain + endGrace).Seconds())
	p := &corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: o.allLabels(), Annotations: annotations},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken:  &no, // a RUN step has no business with the API server
			EnableServiceLinks:            &no, // nor with the addresses of the namespace's services
			TerminationGracePeriodSeconds: &grace,
			ServiceAccountName:            o.ServiceAccount,
			SchedulerName:                 o.SchedulerName,
			PriorityClassName:             o.PriorityClass,
			NodeSelector:                  o.NodeSelector,
			Tolerations:                   tolerations,
			Affinity:                      o.apart(),
			Containers:                    []corev1.Container{*container},
		},
	}
	if o.RuntimeClass != "" {
		p.Spec.RuntimeClassName = &o.RuntimeClass
	}
	for _, name := range o.pullSecrets() {
		p.Spec.ImagePullSecrets = append(p.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	rootless(&p.Spec)
	if err := o.withState(&p.Spec); err != nil {
		return nil, err
	}
	if err := o.withConfig(p); err != nil {
		return nil, err
	}
	withUsers(p, hostUsers)
	return p, nil
}

func (o *Options) container() (*corev1.Container, error) {
	resources, err := o.resources()
	if err != nil {
		return nil, err
	}
	flags, err := o.flags()
	if err != nil {
		return nil, err
	}
	c := &corev1.Container{
		Name:            containerName,
		Image:           o.Image,
		ImagePullPolicy: corev1.PullPolicy(o.ImagePullPolicy),
		Args:            flags,
		Resources:       *resources,
		// Started as soon as it answers, and asked rarely and patiently then: a daemon that is busy
		// building is slow to answer, and no liveness probe shall end it for that.
		StartupProbe:   answers(1, 5, 300),
		ReadinessProbe: answers(15, 30, 3),
	}
	for name, value := range o.Env {
		c.Env = append(c.Env, corev1.EnvVar{Name: name, Value: value})
	}
	sort.Slice(c.Env, func(i, j int) bool { return c.Env[i].Name < c.Env[j].Name })
	if o.Drain > 0 {
		c.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"sh", "-c", waitForBuilds}}}}
	}
	return c, nil
}

func answers(period, timeout, failures int32) *corev1.Probe {
	return &corev1.Probe{PeriodSeconds: period, TimeoutSeconds: timeout, FailureThreshold: failures,
		ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"buildctl", "debug", "workers"}}}}
}

// rootless lets the daemon make its user namespace as an ordinary user. Of the Pod Security level
// "baseline" it needs two exceptions: seccomp and AppArmor are unconfined, because the usual
// profiles forbid unshare and mount also to the root of a user namespace. It adds no capability, and
// is not privileged. Privilege escalation stays allowed (baseline does not ask for less): newuidmap
// and newgidmap, setuid or with file capabilities, map the subordinate ids.
func rootless(spec *corev1.PodSpec) {
	yes, user := true, int64(ownUser)
	spec.SecurityContext = &corev1.PodSecurityContext{
		RunAsUser: &user, RunAsGroup: &user, RunAsNonRoot: &yes,
		SeccompProfile:  &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined},
		AppArmorProfile: &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined},
	}
	c := &spec.Containers[0]
	c.SecurityContext = &corev1.SecurityContext{AllowPrivilegeEscalation: &yes}
	c.Args = append([]string{"--oci-worker-no-process-sandbox"}, c.Args...) // a pod's /proc is masked and cannot be mounted afresh
}

// apart prefers a node of its own for each pod.
func (o *Options) apart() *corev1.Affinity {
	return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: 100,
			PodAffinityTerm: corev1.PodAffinityTerm{TopologyKey: "kubernetes.io/hostname",
				LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{LabelBuilder: o.Builder}}}}},
	}}
}

// allLabels are the given ones and those that the builder is known by.
func (o *Options) allLabels() map[string]string {
	out := map[string]string{}
	for k, v := range o.Labels {
		out[k] = v
	}
	for k, v := range Labels(o.Builder, o.Org, o.Protected) {
		out[k] = v
	}
	return out
}

// subordinate are ids that fit into the 65,536 of a pod's own user namespace: all but the daemon's own, so that
// the users of images are there up to 65534, nobody.
var subordinate = fmt.Sprintf("%d:1:%d\n%d:%d:%d\n", ownUser, ownUser-1, ownUser, ownUser+1, 1<<16-ownUser-1)

const annotationSubordinate = "chartgate.io/subordinate-ids"

// withUsers asks for a user namespace of the pod's own. The image's subordinate ids, 100000 and
// more, are not in it, so it gets others. They must never be used without that namespace, where
// they would be the node's own ids.
func withUsers(p *corev1.PodTemplateSpec, hostUsers *bool) {
	if p.Spec.HostUsers = hostUsers; hostUsers == nil || *hostUsers {
		return
	}
	p.Annotations[annotationSubordinate] = subordinate
	addFile(p, "users", annotationSubordinate, "ids")
	c := &p.Spec.Containers[0]
	for _, file := range []string{"/etc/subuid", "/etc/subgid"} {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "users", MountPath: file, SubPath: "ids", ReadOnly: true})
	}
}

// addFile makes a volume with one file out of an annotation of the pod: unlike a ConfigMap it is no object of
// its own, that somebody would need rights for and would have to remove.
func addFile(p *corev1.PodTemplateSpec, volume, annotation, file string) {
	p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{
		DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{{Path: file,
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + annotation + "']"}}}}}})
}
