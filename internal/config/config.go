// Package config reads chartgate.yaml, the optional configuration at a
// repository's root, and the CHARTGATE_* variables that override its keys.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/chartgate/chartgate/internal/source"
)

// FileName is where Load looks, at the repository's root.
const FileName = "chartgate.yaml"

// Config is chartgate.yaml. Each key can be set by a variable as well: its
// path in capitals behind CHARTGATE_, so that kubesec.min-score is CHARTGATE_KUBESEC_MIN_SCORE.
// Flags win over variables, variables over the file, the file over Default.
type Config struct {
	Charts      []string               `yaml:"charts" doc:"Globs of the charts' folders, relative to the repository's root."`
	Exclude     []string               `yaml:"exclude" doc:"Globs of folders that are left out."`
	Checks      []string               `yaml:"checks" doc:"The checks to run; all five when empty."`
	Rules       map[string]string      `yaml:"rules" doc:"Severity (error, warning, info, off) by rule, as check/rule, or by check." enum:"error,warning,info,off"`
	FailOn      string                 `yaml:"fail-on" doc:"The severity from which findings fail the run." enum:"error,warning"`
	Jobs        int                    `yaml:"jobs" doc:"How many jobs run at once; 0 means one per processor."`
	KubeVersion string                 `yaml:"kube-version" doc:"The Kubernetes version that charts are rendered for; the newest known when empty."`
	ValuesSets  map[string][]ValuesSet `yaml:"values-sets" doc:"By chart name: the ways in which it is installed, instead of the conventional ones."`
	Mirrors     map[string]string      `yaml:"mirrors" doc:"Repository prefix that dependencies name, and what to ask instead: another prefix, or a folder of charts that stand in."`
	Kubesec     Kubesec                `yaml:"kubesec" doc:"The kubesec check."`
	YAMLLint    YAMLLint               `yaml:"yaml-lint" doc:"The yaml-lint check."`
	Publish     Publish                `yaml:"publish" doc:"Where charts are published."`
	Images      map[string]Image       `yaml:"images" doc:"Images to build, by name; a folder images/NAME with a Dockerfile needs no entry."`
	Build       Build                  `yaml:"build" doc:"How images are built."`
	Offline     bool                   `yaml:"offline" doc:"Take dependencies from the store only, as they were when they were fetched."`
	PlainHTTP   bool                   `yaml:"plain-http" doc:"Speak HTTP without TLS to registries."`
	CAFile      string                 `yaml:"ca-file" doc:"PEM file of certificate authorities that registries are trusted by, besides the system's."`
	TokenHosts  []string               `yaml:"token-hosts" doc:"Hosts on a private network that may issue tokens for registries elsewhere."`
	Branch      string                 `yaml:"default-branch" doc:"The branch that charts are published from; asked of CI or git when empty."`
}

// ValuesSet is one way in which a chart is installed.
type ValuesSet struct {
	Name        string   `yaml:"name" doc:"Unique in the chart."`
	Files       []string `yaml:"files" doc:"Values files in order, relative to the chart's folder; later ones win."`
	Release     string   `yaml:"release" doc:"Release name; release-name when empty."`
	Namespace   string   `yaml:"namespace" doc:"Namespace; default when empty."`
	KubeVersion string   `yaml:"kube-version" doc:"Kubernetes version for this set."`
	APIVersions []string `yaml:"api-versions" doc:"API versions that the cluster has beyond Kubernetes' own, for example monitoring.coreos.com/v1."`
}

// Kubesec configures the kubesec check.
type Kubesec struct {
	MinScore int `yaml:"min-score" doc:"A lower score is an error."`
}

// YAMLLint configures the yaml-lint check.
type YAMLLint struct {
	Config  string `yaml:"config" doc:"The yamllint configuration to use, relative to the repository's root; found as yamllint does when empty."`
	Nearest bool   `yaml:"nearest" doc:"Use the .yamllint nearest to each file rather than the repository's."`
}

// Publish configures the publish verb.
type Publish struct {
	To           []string `yaml:"to" doc:"Registry prefixes to push to, for example oci://registry.example.com/team/charts, or embedded."`
	AllOrNothing bool     `yaml:"all-or-nothing" doc:"Publish nothing unless every chart passed."`
	AnyBranch    bool     `yaml:"any-branch" doc:"Publish from other branches than the default one as well."`
}

// Image is one image to build. Tags, arguments, labels, secrets and caches may
// hold variables: ${COMMIT}, ${VERSION:-dev}.
type Image struct {
	Context    string            `yaml:"context" doc:"The folder that COPY reads from, relative to the repository's root, or the URL of a Git repository; images/NAME when empty."`
	Dockerfile string            `yaml:"dockerfile" doc:"The Dockerfile, relative to the context; Dockerfile when empty."`
	Target     string            `yaml:"target" doc:"The stage to build; the last one when empty."`
	Args       map[string]string `yaml:"args" doc:"Build arguments."`
	Secrets    []string          `yaml:"secrets" doc:"Secrets for RUN --mount=type=secret: id=ID,src=FILE or id=ID,env=VARIABLE."`
	SSH        []string          `yaml:"ssh" doc:"SSH agents or keys for RUN --mount=type=ssh: default, or ID=SOCKET."`
	Labels     map[string]string `yaml:"labels" doc:"Labels of the image."`
	Platforms  []string          `yaml:"platforms" doc:"Platforms, for example linux/amd64; the builder's own when empty."`
	Tags       []string          `yaml:"tags" doc:"References to push to; those of the commit and the version below build.repository when empty."`
	CacheFrom  []string          `yaml:"cache-from" doc:"Where build cache is taken from: type=registry,ref=REFERENCE."`
	CacheTo    []string          `yaml:"cache-to" doc:"Where build cache is kept: type=registry,ref=REFERENCE,mode=max."`
	Contexts   map[string]string `yaml:"contexts" doc:"Further contexts by name: a folder relative to the root, or docker-image://REFERENCE."`
	DependsOn  []string          `yaml:"depends-on" doc:"Images that are built first; FROM may use their names."`
	Network    string            `yaml:"network" doc:"The network of RUN." enum:"default,none,host"`
	Allow      []string          `yaml:"allow" doc:"Entitlements: network.host, security.insecure."`
}

// Build configures the build verb.
type Build struct {
	Driver       string            `yaml:"driver" doc:"How BuildKit is reached; remote where BUILDKIT_HOST is set, else local, when empty." enum:"local,remote,kubernetes"`
	DriverOpts   map[string]string `yaml:"driver-opts" doc:"Options of the driver."`
	Repository   string            `yaml:"repository" doc:"What images are pushed below, as REPOSITORY/NAME; $CI_REGISTRY_IMAGE when empty."`
	Cache        string            `yaml:"cache" doc:"Build cache in the registry beside the image, by branch: in CI when images are pushed (auto), or not (off)." enum:"auto,off"`
	Reproducible bool              `yaml:"reproducible" doc:"Give everything in an image the commit's time and git's permissions, so that one commit has one digest."`
}

// Default is the configuration of a repository without chartgate.yaml.
func Default() *Config {
	return &Config{Charts: []string{"charts/*"}, FailOn: "error", Jobs: runtime.GOMAXPROCS(0), Build: Build{Cache: "auto", Reproducible: true}}
}

// Error is a wrong key or value, with its place.
type Error struct {
	File string // chartgate.yaml, or the name of a variable
	source.Pos
	Message string
	Hint    string
}

func (e *Error) Error() string {
	place := e.File
	if !e.IsZero() {
		place = fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
	}
	msg := place + ": " + e.Message
	if e.Hint != "" {
		msg += " (" + e.Hint + ")"
	}
	return msg
}

// Load reads name from the repository's root and applies the variables. A
// missing file is Default, unless the name was asked for.
func Load(fsys fs.FS, name string, env func(string) string) (*Config, error) {
	required := name != ""
	if !required {
		name = FileName
	}
	data, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) && !required {
		data, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading configuration %q: %w", name, err)
	}
	c, err := Parse(data, name)
	if err != nil {
		return nil, err
	}
	if err := c.applyEnv(env); err != nil {
		return nil, err
	}
	return c, nil
}
