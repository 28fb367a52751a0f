package kubernetes

import (
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

// maxReplicas bounds what a slip of the keyboard may ask a cluster for.
const maxReplicas = 100

// check finds what is wrong with the options, and fills in what follows from others.
func (o *Options) check() error {
	for _, c := range []func() error{o.checkWhom, o.checkChoices, o.checkTimes, o.checkNames, o.checkMaps} {
		if err := c(); err != nil {
			return err
		}
	}
	_, err := o.pod(nil) // what is left to parse: quantities, tolerations, flags, the configuration
	if err != nil {
		return err
	}
	_, err = o.claims()
	return err
}

func (o *Options) checkWhom() error {
	if o.Org == "" && (o.Builder == "" || !o.UseExisting) {
		return wrong("org", "--driver-opt org=NAME, or the variable CI_PROJECT_ROOT_NAMESPACE that GitLab sets",
			"it is missing: a builder serves one organisation and never another")
	}
	if o.Builder == "" {
		o.Builder = BuilderName(o.Org, o.Protected)
	}
	if len(o.Builder) > maxName || len(validation.IsDNS1123Label(o.Builder)) > 0 {
		return wrong("builder", "use lower-case letters, digits and dashes", "%q is no name of at most %d characters", o.Builder, maxName)
	}
	if o.UseExisting && !o.Keep {
		return wrong("keep", "leave out one of the two", "a builder that is used as it is cannot be one of this run alone")
	}
	return nil
}

func (o *Options) checkChoices() error {
	if o.Kind == "" {
		o.Kind = KindDeployment
		if o.VolumeSize != "" {
			o.Kind = KindStatefulSet
		}
	}
	for _, c := range []struct {
		option, value string
		values        []string
	}{
		{"kind", o.Kind, []string{KindDeployment, KindStatefulSet}},
		{"loadbalance", o.Balance, []string{balanceSticky, balanceRandom}},
		{"transport", o.Transport, []string{transportAuto, transportWebSocket, transportSPDY}},
		{"host-users", o.HostUsers, []string{hostUsersAuto, hostUsersTrue, hostUsersFalse}},
		{"image-pull-policy", o.ImagePullPolicy, []string{"", "Always", "IfNotPresent", "Never"}},
	} {
		if !slices.Contains(c.values, c.value) {
			return wrong(c.option, "", "%q is none of %s", c.value, strings.TrimPrefix(strings.Join(c.values, ", "), ", "))
		}
	}
	switch {
	case o.VolumeSize != "" && o.Kind != KindStatefulSet:
		return wrong("kind", "leave it out", "pods of a Deployment would all want the one volume of %s", storageOption)
	case o.VolumeSize != "" && o.RootMemory != "":
		return wrong("buildkit-root-volume-memory", "leave out one of the two", "the state is either in memory or on the volume of %s", storageOption)
	case o.VolumeClass != "" && o.VolumeSize == "":
		return wrong("persistent-volume-claim.storage-class", "give its size: "+storageOption+"=20Gi", "there is no volume that it could be for")
	case !o.Rootless:
		return wrong("rootless", "leave it out", "a builder that is not rootless would be a privileged pod, which this driver does not create")
	case o.Replicas < 1 || o.Replicas > maxReplicas:
		return wrong("replicas", "", "%d is not between 1 and %d", o.Replicas, maxReplicas)
	case o.Image == "" || strings.ContainsFunc(o.Image, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return wrong("image", "", "%q is no reference of an image", o.Image)
	}
	return nil
}

func (o *Options) checkTimes() error {
	switch {
	case o.Timeout < time.Second:
		return wrong("timeout", "", "%s is too short for anything to become ready", o.Timeout)
	case o.TTL > 0 && o.TTL < time.Minute:
		return wrong("ttl", "", "%s is shorter than the minute that a build may take to begin", o.TTL)
	case o.Drain > 24*time.Hour:
		return wrong("drain", "", "%s is longer than a day", o.Drain)
	}
	return nil
}

func (o *Options) checkNames() error {
	for _, c := range [][2]string{{"serviceaccount", o.ServiceAccount}, {"schedulername", o.SchedulerName}, {"priority-class", o.PriorityClass},
		{"runtime-class", o.RuntimeClass}, {"persistent-volume-claim.storage-class", o.VolumeClass}} {
		if c[1] != "" && len(validation.IsDNS1123Subdomain(c[1])) > 0 {
			return wrong(c[0], "", "%q is no name of an object", c[1])
		}
	}
	if o.Namespace != "" && len(validation.IsDNS1123Label(o.Namespace)) > 0 {
		return wrong("namespace", "", "%q is no name of a namespace", o.Namespace)
	}
	for _, name := range o.pullSecrets() {
		if len(validation.IsDNS1123Subdomain(name)) > 0 {
			return wrong("image-pull-secrets", "", "%q is no name of a secret", name)
		}
	}
	return nil
}

func (o *Options) checkMaps() error {
	for _, c := range []struct {
		option string
		m      map[string]string
	}{{"labels", o.Labels}, {"annotations", o.Annotations}, {"nodeselector", o.NodeSelector}} {
		option := c.option
		for _, k := range slices.Sorted(maps.Keys(c.m)) {
			v := c.m[k]
			if msgs := validation.IsQualifiedName(k); len(msgs) > 0 {
				return wrong(option, "", "%q is no key: %s", k, msgs[0])
			}
			if msgs := validation.IsValidLabelValue(v); option != "annotations" && len(msgs) > 0 {
				return wrong(option, "", "%q is no value for %q: %s", v, k, msgs[0])
			}
			if option != "nodeselector" && (strings.HasPrefix(k, "chartgate.io/") || k == LabelManagedBy || k == LabelName) {
				return wrong(option, "", "%q is what builders are known by, and not to be chosen", k)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Env)) {
		if len(validation.IsCIdentifier(name)) > 0 {
			return wrong("env."+name, "", "%q is no name of a variable", name)
		}
	}
	return nil
}

// pullSecrets are the names in image-pull-secrets.
func (o *Options) pullSecrets() []string {
	if o.ImagePullSecrets == "" {
		return nil
	}
	return strings.Split(o.ImagePullSecrets, ",")
}
