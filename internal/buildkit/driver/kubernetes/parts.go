package kubernetes

import (
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/google/shlex"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// resources are what requests.* and limits.* ask for.
func (o *Options) resources() (*corev1.ResourceRequirements, error) {
	out := &corev1.ResourceRequirements{}
	for _, r := range []struct {
		option, value string
		name          corev1.ResourceName
		list          *corev1.ResourceList
	}{
		{"requests.cpu", o.RequestsCPU, corev1.ResourceCPU, &out.Requests},
		{"requests.memory", o.RequestsMemory, corev1.ResourceMemory, &out.Requests},
		{"requests.ephemeral-storage", o.RequestsStorage, corev1.ResourceEphemeralStorage, &out.Requests},
		{"limits.cpu", o.LimitsCPU, corev1.ResourceCPU, &out.Limits},
		{"limits.memory", o.LimitsMemory, corev1.ResourceMemory, &out.Limits},
		{"limits.ephemeral-storage", o.LimitsStorage, corev1.ResourceEphemeralStorage, &out.Limits},
	} {
		if r.value == "" {
			continue
		}
		q, err := quantity(r.option, r.value)
		if err != nil {
			return nil, err
		}
		if *r.list == nil {
			*r.list = corev1.ResourceList{}
		}
		(*r.list)[r.name] = q
	}
	for name, limit := range out.Limits {
		if request, ok := out.Requests[name]; ok && request.Cmp(limit) > 0 {
			return nil, wrong("requests."+string(name), "", "%s is more than limits.%s, which is %s", request.String(), name, limit.String())
		}
	}
	return out, nil
}

func quantity(option, value string) (resource.Quantity, error) {
	q, err := resource.ParseQuantity(value)
	if err != nil || q.Sign() <= 0 {
		return q, wrong(option, "", "%q is no quantity such as 500m, 2 or 4Gi", value)
	}
	return q, nil
}

// tolerations reads key=K,operator=O,value=V,effect=E;… as buildx does, but for what is wrong.
func (o *Options) tolerations() ([]corev1.Toleration, error) {
	if o.Tolerations == "" {
		return nil, nil
	}
	var out []corev1.Toleration
	for _, one := range strings.Split(o.Tolerations, ";") {
		var t corev1.Toleration
		for _, pair := range strings.Split(one, ",") {
			k, v, ok := strings.Cut(pair, "=")
			if !ok {
				return nil, wrong("tolerations", "key=K,operator=O,value=V,effect=E;key=…", "%q is not KEY=VALUE", pair)
			}
			switch k {
			case "key":
				t.Key = v
			case "operator":
				t.Operator = corev1.TolerationOperator(v)
			case "value":
				t.Value = v
			case "effect":
				t.Effect = corev1.TaintEffect(v)
			case "tolerationSeconds":
				s, err := strconv.ParseInt(v, 10, 64)
				if err != nil {
					return nil, wrong("tolerations", "", "tolerationSeconds is %q, which is not a number", v)
				}
				t.TolerationSeconds = &s
			default:
				return nil, wrong("tolerations", "it has key, operator, value, effect and tolerationSeconds", "a toleration has no %q", k)
			}
		}
		out = append(out, t)
	}
	return out, nil
}

// ownFlags are those of buildkitd that the driver relies on.
var ownFlags = []string{"--addr", "--root", "--config", "--rootless", "--oci-worker-no-process-sandbox"}

func (o *Options) flags() ([]string, error) {
	words, err := shlex.Split(o.BuildkitdFlags)
	if err != nil {
		return nil, wrong("buildkitd-flags", "", "%q cannot be split into words: %v", o.BuildkitdFlags, err)
	}
	for _, word := range words {
		name, _, _ := strings.Cut("--"+strings.TrimLeft(word, "-"), "=")
		for _, own := range ownFlags {
			if strings.HasPrefix(word, "-") && name == own {
				return nil, wrong("buildkitd-flags", "leave it out", "the driver sets %s itself", own)
			}
		}
	}
	return words, nil
}

// withState gives the daemon a place for its state. On a persistent volume it is a folder that does not hand
// on its group: Kubernetes makes a volume writable by setting the group and the setgid bit of
// its root, and whatever a build made would bear that bit.
func (o *Options) withState(spec *corev1.PodSpec) error {
	c := &spec.Containers[0]
	mount := corev1.VolumeMount{Name: stateVolume, MountPath: stateDir}
	c.VolumeMounts = append(c.VolumeMounts, mount)
	if o.VolumeSize != "" {
		group, policy := int64(ownUser), corev1.FSGroupChangeOnRootMismatch
		spec.SecurityContext.FSGroup, spec.SecurityContext.FSGroupChangePolicy = &group, &policy
		spec.InitContainers = []corev1.Container{{Name: stateVolume, Image: o.Image, ImagePullPolicy: c.ImagePullPolicy, Resources: c.Resources,
			Command:      []string{"sh", "-c", "mkdir -p " + stateDir + "/root && chmod 0711 " + stateDir + "/root && chmod g-s " + stateDir + "/root"},
			VolumeMounts: []corev1.VolumeMount{mount}}}
		c.Args = append(c.Args, "--root", stateDir+"/root")
		return nil // the volume comes from the StatefulSet's claims
	}
	dir := &corev1.EmptyDirVolumeSource{}
	if o.RootMemory != "" {
		size, err := quantity("buildkit-root-volume-memory", o.RootMemory)
		if err != nil {
			return err
		}
		dir.Medium, dir.SizeLimit = corev1.StorageMediumMemory, &size
	}
	spec.Volumes = append(spec.Volumes, corev1.Volume{Name: stateVolume, VolumeSource: corev1.VolumeSource{EmptyDir: dir}})
	return nil
}

// claims are those of the persistent volumes, one for each pod.
func (o *Options) claims() ([]corev1.PersistentVolumeClaim, error) {
	if o.VolumeSize == "" {
		return nil, nil
	}
	size, err := quantity(storageOption, o.VolumeSize)
	if err != nil {
		return nil, err
	}
	claim := corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: stateVolume, Labels: o.allLabels()},
		Spec: corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: size}}},
	}
	if o.VolumeClass != "" {
		claim.Spec.StorageClassName = &o.VolumeClass
	}
	return []corev1.PersistentVolumeClaim{claim}, nil
}

const (
	annotationConfig = "chartgate.io/buildkitd.toml"
	configDir        = "/etc/chartgate"
	maxConfig        = 64 << 10
)

// withConfig hands the daemon a buildkitd.toml.
func (o *Options) withConfig(p *corev1.PodTemplateSpec) error {
	if o.Config == "" {
		return nil
	}
	text, err := readConfig(o.Config)
	if err != nil {
		return err
	}
	p.Annotations[annotationConfig] = text
	addFile(p, "config", annotationConfig, "buildkitd.toml")
	c := &p.Spec.Containers[0]
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "config", MountPath: configDir, ReadOnly: true})
	c.Args = append(c.Args, "--config", configDir+"/buildkitd.toml")
	return nil
}

func readConfig(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", wrong("config", "", "%v", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxConfig {
		return "", wrong("config", "", "%q is no file of at most %d bytes", path, maxConfig)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", wrong("config", "", "%v", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig))
	if err != nil {
		return "", wrong("config", "", "%v", err)
	}
	var any map[string]any
	if _, err := toml.Decode(string(text), &any); err != nil {
		return "", wrong("config", "", "%s: %v", path, err)
	}
	return string(text), nil
}
