package render

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/chartgate/chartgate/internal/chart"
	"github.com/chartgate/chartgate/internal/deps"
	"github.com/chartgate/chartgate/internal/source"
	helmchart "helm.sh/helm/v3/pkg/chart"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// DefaultKubeVersion is the Kubernetes version that charts are rendered for
// unless a values set says otherwise: the newest that this Helm knows. A Helm
// library that is not stamped believes in 1.20.
const DefaultKubeVersion = "v1.37.0"

// helmVersion is what .Capabilities.HelmVersion says.
const helmVersion = "v3.22.0"

// Input is a chart and its values, ready to be rendered once.
type Input struct {
	Chart  *helmchart.Chart // with its dependencies processed
	Values helmutil.Values  // the chart's values, coalesced with those given; templates may change them
	Kube   string           // Kubernetes version

	top helmutil.Values // what templates find in the dot
	set string          // name of the values set
}

// Prepare merges a values set's files, processes the dependencies' conditions,
// tags and imports, and coalesces the values, as `helm template` does. What is
// wrong with the values or the chart is an *Error.
func Prepare(ctx context.Context, res *deps.Resolved, set chart.ValuesSet) (*Input, error) {
	vals, err := mergeFiles(ctx, set.Files)
	if err != nil {
		return nil, err
	}
	in, err := prepare(res.Helm(), vals, set.Release)
	if err != nil {
		return nil, err
	}
	in.set = set.Name
	return in, nil
}

func prepare(c *helmchart.Chart, vals map[string]any, opts chart.ReleaseOptions) (in *Input, err error) {
	defer func() {
		if p := recover(); p != nil {
			if fatal, ok := p.(runtime.Error); ok {
				p = fatal.Error()
			}
			err = refuse("processing the dependencies and values of chart %q failed: %v", c.Name(), p)
		}
	}()
	name, namespace := opts.Name, opts.Namespace
	if name == "" {
		name = "release-name"
	}
	if namespace == "" {
		namespace = "default"
	}
	if err := helmutil.ValidateReleaseName(name); err != nil {
		return nil, refuse("release name %q: %v", name, err)
	}
	caps, err := capabilities(opts)
	if err != nil {
		return nil, err
	}
	if err := helmutil.ProcessDependenciesWithMerge(c, vals); err != nil {
		return nil, wrap(err)
	}
	release := helmutil.ReleaseOptions{Name: name, Namespace: namespace, Revision: 1, IsInstall: !opts.IsUpgrade, IsUpgrade: opts.IsUpgrade}
	top, err := helmutil.ToRenderValuesWithSchemaValidation(c, vals, release, caps, true)
	if err != nil {
		return nil, wrap(err)
	}
	values, _ := top["Values"].(helmutil.Values)
	return &Input{Chart: c, Values: values, Kube: caps.KubeVersion.Version, top: top}, nil
}

// Installable refuses charts that are not for rendering by themselves: libraries.
func Installable(md *helmchart.Metadata) error {
	if md.Type != "" && md.Type != "application" {
		return refuse("%s charts are not installable", md.Type)
	}
	return nil
}

// check refuses charts that Helm does not render.
func (in *Input) check() error {
	md := in.Chart.Metadata
	if err := Installable(md); err != nil {
		return err
	}
	if md.KubeVersion != "" && !helmutil.IsCompatibleRange(md.KubeVersion, in.Kube) {
		return refuse("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", md.KubeVersion, in.Kube)
	}
	return nil
}

func capabilities(opts chart.ReleaseOptions) (*helmutil.Capabilities, error) {
	version := opts.KubeVersion
	if version == "" {
		version = DefaultKubeVersion
	}
	kube, err := helmutil.ParseKubeVersion(version)
	if err != nil {
		return nil, refuse("invalid kube version '%s': %s", version, err)
	}
	caps := helmutil.DefaultCapabilities.Copy()
	caps.KubeVersion = *kube
	caps.HelmVersion.Version = helmVersion
	own := append(helmutil.VersionSet{}, caps.APIVersions...)
	caps.APIVersions = append(own, opts.APIVersions...)
	return caps, nil
}

// mergeFiles reads values files and merges them, later ones winning.
func mergeFiles(ctx context.Context, files []source.File) (map[string]any, error) {
	out := map[string]any{}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("reading values file %q: %w", f.Path, err)
		}
		var err error
		if out, err = mergeFile(out, f.Path, f.Data); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mergeTables merges b into a copy of a: maps are merged, everything else,
// lists and nulls too, is replaced.
func mergeTables(a, b map[string]any) map[string]any {
	out := make(map[string]any, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		over, ok := v.(map[string]any)
		under, ok2 := out[k].(map[string]any)
		if ok && ok2 {
			out[k] = mergeTables(under, over)
		} else {
			out[k] = v
		}
	}
	return out
}

func refuse(format string, args ...any) *Error {
	return &Error{Kind: Chart, Message: fmt.Sprintf(format, args...)}
}

func wrap(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return &Error{Kind: Chart, Message: err.Error(), Err: err}
}

// yamlLine is the line, from 1, that an error of the YAML library names; 0 when it
// names none.
func yamlLine(err error) int { return source.ErrorPos(err).Line }
