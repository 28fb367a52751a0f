package kubernetes

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// How much of what others say is repeated.
const (
	maxShownPods   = 3
	maxShownEvents = 10
	logLines       = 12
	maxLog         = 16 << 10
	maxEvents      = 500
)

// notReady is the error of a builder that does not become ready, with what the cluster knows of why.
func (d *Driver) notReady(ctx context.Context, err error, w *workload, pods []corev1.Pod) error {
	out := d.failed("starting", err, "")
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var lines []string
	for _, c := range w.conditions {
		if c.kind == "ReplicaFailure" && c.status == "True" || c.kind == "Progressing" && c.status == "False" {
			lines = append(lines, fmt.Sprintf("%s %s: %s: %s", w.kind, w.meta.Name, c.reason, foreign(c.message)))
		}
	}
	shown := 0
	for i := range pods {
		p := &pods[i]
		if !current(w, p) || isReady(p) || shown == maxShownPods {
			continue
		}
		shown++
		s := stateOf(p)
		lines = append(lines, fmt.Sprintf("pod %s: %s", p.Name, s))
		if s.running || s.restarts > 0 || s.phase == string(corev1.PodFailed) {
			log, refused := d.client.log(ctx, p, s)
			lines = append(lines, indented(log, refused)...)
		}
	}
	state := strings.Join(lines, "\n")
	events, refused := d.client.events(ctx, d.o.Builder, pods)
	if len(events) > 0 || refused != "" {
		lines = append(lines, "events:")
		lines = append(lines, indented(events, refused)...)
	}
	out.Detail = strings.Join(lines, "\n")
	if out.Hint = hintFor(err.Error() + "\n" + state); out.Hint == "" {
		out.Hint = hintFor(strings.Join(events, "\n"))
	}
	if out.Hint == "" && strings.Contains(out.Detail, "not shown, since this account may not") {
		out.Hint = fmt.Sprintf("to see more: chartgate builder rbac --org %s --namespace %s prints a Role with the rights that are needed", d.o.Org, d.client.Namespace)
	}
	if out.Hint == "" {
		out.Hint = "allow more time with the option timeout, if it only was too short"
	}
	return out
}

func indented(lines []string, refused string) []string {
	var out []string
	for _, line := range lines {
		out = append(out, "  "+line)
	}
	if refused != "" {
		out = append(out, "  "+refused)
	}
	return out
}

// hintFor is what usually mends what a diagnosis shows.
func hintFor(detail string) string {
	for _, h := range []struct{ sign, hint string }{
		{"violates PodSecurity", "a rootless builder needs seccomp and AppArmor unconfined, which the level baseline does not admit: label its namespace pod-security.kubernetes.io/enforce=privileged"},
		{"exceeded quota", "ask for less with the options requests.* and limits.*, or have the namespace's quota raised"},
		{"must specify", "the namespace's quota wants requests and limits to be given: options requests.* and limits.*"},
		{"user namespaces", "host-users=true does without user namespaces"},
		{"newuidmap", "the image's newuidmap must be setuid or have file capabilities, and its subordinate ids must fit; is allowPrivilegeEscalation forbidden by a policy?"},
		{"operation not permitted", "chartgate doctor tells what the nodes lack; unprivileged user namespaces may be switched off there, or a policy may enforce seccomp or AppArmor"},
		{"ErrImageNeverPull", "the image is not on the node, and image-pull-policy=Never forbids to fetch it"},
		{"ImagePull", "see the options image and image-pull-secrets"},
		{"Unschedulable", "see the options nodeselector, tolerations, requests.* and replicas"},
		{"OOMKilled", "raise the option limits.memory"},
	} {
		if strings.Contains(detail, h.sign) {
			return h.hint
		}
	}
	return ""
}

// events are the warnings about a builder's objects, oldest first; or why they cannot be shown. Objects are known by
// their names, which begin like the builder's; of pods, only the given ones count that are not about to end.
func (c *Client) events(ctx context.Context, prefix string, pods []corev1.Pod) (lines []string, refused string) {
	list, err := c.core.Events(c.Namespace).List(ctx, metav1.ListOptions{FieldSelector: "type=" + corev1.EventTypeWarning, Limit: maxEvents})
	if err != nil {
		return nil, notShown("events", "list", "events", c.Namespace, err)
	}
	items := list.Items
	sort.SliceStable(items, func(i, j int) bool { return lastSeen(&items[i]).Before(lastSeen(&items[j])) })
	seen := map[string]bool{}
	for _, e := range items {
		name, kind := e.InvolvedObject.Name, e.InvolvedObject.Kind
		if name != prefix && !strings.HasPrefix(name, prefix+"-") || e.Type != corev1.EventTypeWarning ||
			kind == "Pod" && !counts(pods, name) || e.Reason == "MissingClusterDNS" {
			continue
		}
		what := e.Reason + podNames.ReplaceAllString(e.Message, "")
		if !seen[what] {
			seen[what] = true
			lines = append(lines, fmt.Sprintf("%s %s: %s: %s", strings.ToLower(kind), name, e.Reason, foreign(e.Message)))
		}
	}
	if len(lines) > maxShownEvents {
		lines = lines[len(lines)-maxShownEvents:]
	}
	return lines, ""
}

// podNames is what differs between events about the same thing.
var podNames = regexp.MustCompile(`pods "[^"]*"|^\(combined from similar events\): `)

func counts(pods []corev1.Pod, name string) bool {
	for i := range pods {
		if pods[i].Name == name {
			return pods[i].DeletionTimestamp == nil
		}
	}
	return false
}

func lastSeen(e *corev1.Event) *metav1.Time {
	switch {
	case !e.LastTimestamp.IsZero():
		return &e.LastTimestamp
	case e.Series != nil:
		return &metav1.Time{Time: e.Series.LastObservedTime.Time}
	case !e.EventTime.IsZero():
		return &metav1.Time{Time: e.EventTime.Time}
	}
	return &e.CreationTimestamp
}

// log is the end of what a pod's container wrote, of its last run if that is over; or why it cannot be shown.
func (c *Client) log(ctx context.Context, p *corev1.Pod, s state) (lines []string, refused string) {
	tail, limit := int64(logLines), int64(maxLog)
	opts := &corev1.PodLogOptions{Container: s.container, TailLines: &tail, LimitBytes: &limit, Previous: s.restarts > 0 && !s.running}
	stream, err := c.core.Pods(c.Namespace).GetLogs(p.Name, opts).Stream(ctx)
	if err != nil {
		return nil, notShown("log", "get", "pods/log", c.Namespace, err)
	}
	defer stream.Close()
	text, err := io.ReadAll(io.LimitReader(stream, maxLog))
	if err != nil && len(text) == 0 {
		return nil, "log: " + foreign(err.Error())
	}
	for _, line := range strings.Split(strings.TrimSpace(printable(string(text))), "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines, ""
}

// notShown says in a line what would have helped; it never fails anything.
func notShown(what, verb, resource, namespace string, err error) string {
	if apierrors.IsForbidden(err) {
		return fmt.Sprintf("%s: not shown, since this account may not %s %s in namespace %q", what, verb, resource, namespace)
	}
	return fmt.Sprintf("%s: not shown: %s", what, foreign(err.Error()))
}

// ended tells how a container ended.
func ended(t *corev1.ContainerStateTerminated) string {
	how := fmt.Sprintf("exit code %d", t.ExitCode)
	if t.Signal != 0 {
		how += fmt.Sprintf(", signal %d", t.Signal)
	}
	if t.Message != "" {
		how += ": " + t.Message
	}
	return how
}
