package kubernetes

import (
	"fmt"
	"strings"
	"time"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
)

const driverName = "kubernetes"

// DefaultImage is the daemon's image: rootless, and of the version that this program speaks.
const DefaultImage = "moby/buildkit:v0.33.0-rootless"

// What options of few values may be.
const (
	KindDeployment  = "Deployment"
	KindStatefulSet = "StatefulSet"

	balanceSticky = "sticky"
	balanceRandom = "random"

	transportAuto      = "auto"
	transportWebSocket = "websocket"
	transportSPDY      = "spdy"

	hostUsersAuto  = "auto"
	hostUsersTrue  = "true"
	hostUsersFalse = "false"
)

// storageOption is long, and named in messages.
const storageOption = "persistent-volume-claim.requests.storage"

// Options are what may follow --driver-opt. What buildx's driver of the same name has too is
// spelled as there.
type Options struct {
	Kubeconfig string `opt:"kubeconfig" doc:"The kubeconfig file. Default: the variable KUBECONFIG, then ~/.kube/config, then the pod's service account."`
	Context    string `opt:"context" doc:"The context of the kubeconfig file. Default: its current one."`
	Namespace  string `opt:"namespace" doc:"The namespace of the builders: one of the organisation's own. Default: the context's."`
	Org        string `opt:"org" doc:"The organisation that the builder serves; it is never shared with another. Default: the variable CI_PROJECT_ROOT_NAMESPACE."`
	Protected  bool   `opt:"protected" doc:"Whether the builder serves protected refs; it is never shared with others. Default: the variable CI_COMMIT_REF_PROTECTED."`
	Builder    string `opt:"builder" doc:"The builder's name. Default: made of org and protected."`

	UseExisting bool          `opt:"use-existing" doc:"Use the builder as it is: nothing is created or changed, and its time to live is not prolonged."`
	Keep        bool          `opt:"keep" doc:"Leave the builder for later runs. If false, a builder of this run alone is created and removed at its end. Default: true."`
	TTL         time.Duration `opt:"ttl" doc:"How long the builder may be idle before it may be removed; 0s is for ever. Default: 24h."`
	Timeout     time.Duration `opt:"timeout" doc:"How long to wait until a builder is ready. Default: 2m."`
	Drain       time.Duration `opt:"drain" doc:"How long a pod that is to end waits for the builds on it. Default: 15m."`

	Kind     string `opt:"kind" doc:"Deployment or StatefulSet. Default: Deployment, and StatefulSet with a persistent volume."`
	Replicas int    `opt:"replicas" doc:"How many pods the builder has. Default: 1."`
	Balance  string `opt:"loadbalance" doc:"sticky: the same images build on the same pod; random. Default: sticky."`

	Image            string            `opt:"image" doc:"The daemon's image; it has to be rootless. Default: moby/buildkit:v0.33.0-rootless."`
	ImagePullPolicy  string            `opt:"image-pull-policy" doc:"Always, IfNotPresent or Never. Default: the cluster's."`
	ImagePullSecrets string            `opt:"image-pull-secrets" doc:"Names of secrets in the namespace that the image is pulled with, separated by commas."`
	Rootless         bool              `opt:"rootless" doc:"For command lines written for buildx: only true is possible."`
	BuildkitdFlags   string            `opt:"buildkitd-flags" doc:"More flags of buildkitd, separated by spaces."`
	Config           string            `opt:"config" doc:"A buildkitd.toml on this machine that the daemon is given."`
	Env              map[string]string // env.NAME, of which there may be many

	RequestsCPU     string `opt:"requests.cpu" doc:"CPU requested for each pod: 500m, 2."`
	RequestsMemory  string `opt:"requests.memory" doc:"Memory requested for each pod: 2Gi."`
	RequestsStorage string `opt:"requests.ephemeral-storage" doc:"Ephemeral storage requested for each pod: 20Gi."`
	LimitsCPU       string `opt:"limits.cpu" doc:"The most CPU a pod may use."`
	LimitsMemory    string `opt:"limits.memory" doc:"The most memory a pod may use: more ends the daemon."`
	LimitsStorage   string `opt:"limits.ephemeral-storage" doc:"The most ephemeral storage a pod may use: more evicts it."`
	VolumeSize      string `opt:"persistent-volume-claim.requests.storage" doc:"Keep the daemon's state on a persistent volume of this size, one for each pod."`
	VolumeClass     string `opt:"persistent-volume-claim.storage-class" doc:"The storage class of the persistent volume. Default: the cluster's."`
	RootMemory      string `opt:"buildkit-root-volume-memory" doc:"Keep the daemon's state in memory, at most this much."`

	NodeSelector   map[string]string `opt:"nodeselector" doc:"Labels of the nodes that the pods may run on."`
	Tolerations    string            `opt:"tolerations" doc:"Taints that the pods tolerate: key=K,operator=O,value=V,effect=E,tolerationSeconds=S, several separated by semicolons."`
	Annotations    map[string]string `opt:"annotations" doc:"Annotations of the workload and its pods."`
	Labels         map[string]string `opt:"labels" doc:"Labels of the workload and its pods."`
	ServiceAccount string            `opt:"serviceaccount" doc:"The pods' service account; its token is not mounted."`
	SchedulerName  string            `opt:"schedulername" doc:"The pods' scheduler."`
	PriorityClass  string            `opt:"priority-class" doc:"The pods' priority class."`
	RuntimeClass   string            `opt:"runtime-class" doc:"The pods' runtime class."`
	HostUsers      string            `opt:"host-users" doc:"false: the pods get a user namespace of their own; true: they do not; auto: where the cluster can. Default: auto."`

	Transport string `opt:"transport" doc:"How pods are reached: websocket, spdy, or auto, which falls back to SPDY where the API server has no WebSocket. Default: auto."`
}

// OptionDocs documents the options, in order.
func OptionDocs() []driver.Option {
	return append(driver.OptionsOf(&Options{}), driver.Option{Name: "env.NAME", Type: "string",
		Doc: "The variable NAME of the daemon: env.HTTPS_PROXY=http://proxy:3128."})
}

// decode reads the options and checks what can be checked without a cluster.
func decode(given map[string]string, env func(string) string) (Options, error) {
	o := Options{Org: env("CI_PROJECT_ROOT_NAMESPACE"), Protected: env("CI_COMMIT_REF_PROTECTED") == "true", Keep: true,
		TTL: 24 * time.Hour, Timeout: 2 * time.Minute, Drain: 15 * time.Minute, Replicas: 1, Balance: balanceSticky,
		Image: DefaultImage, Rootless: true, HostUsers: hostUsersAuto, Transport: transportAuto}
	tagged := map[string]string{}
	for k, v := range given {
		if name, ok := strings.CutPrefix(k, "env."); ok {
			if o.Env == nil {
				o.Env = map[string]string{}
			}
			o.Env[name] = v
			continue
		}
		tagged[k] = v
	}
	if err := driver.Decode(driverName, tagged, &o); err != nil {
		return o, err
	}
	return o, o.check()
}

// wrong is an option whose value cannot be used.
func wrong(option, hint, format string, args ...any) error {
	return &driver.OptionError{Driver: driverName, Option: option, Message: fmt.Sprintf(format, args...), Hint: hint}
}
