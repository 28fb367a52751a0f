package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"
)

// flags registers the flags of `helm template`: those that do something, those
// that do nothing there either, and those that are refused.
func (r *renderRun) flags(f *pflag.FlagSet) {
	r.valuesFlags(f)
	f.StringVarP(&r.release.Namespace, "namespace", "n", "", "namespace of the release (default \"default\"; kubeconfig files and HELM_NAMESPACE are not read)")
	f.StringVar(&r.nameTemplate, "name-template", "", "template that gives the name of the release")
	f.BoolVarP(&r.generateName, "generate-name", "g", false, "as in helm template: NAME must be left out")
	f.StringVar(&r.release.KubeVersion, "kube-version", "", "Kubernetes version for .Capabilities.KubeVersion (default: the newest known)")
	f.StringSliceVarP(&r.release.APIVersions, "api-versions", "a", nil, "API versions for .Capabilities.APIVersions beyond Helm's own (repeatable, or separated by commas)")
	f.BoolVar(&r.release.IsUpgrade, "is-upgrade", false, "set .Release.IsUpgrade instead of .Release.IsInstall")
	f.BoolVar(&r.print.IncludeCRDs, "include-crds", false, "print the files of crds/ folders too")
	f.BoolVar(&r.print.SkipTests, "skip-tests", false, "leave out the hooks of helm test")
	f.BoolVar(&r.print.NoHooks, "no-hooks", false, "leave out all hooks")
	f.StringArrayVarP(&r.print.ShowOnly, "show-only", "s", nil, "print only what the template, given by path or pattern within the chart, rendered (repeatable)")
	f.StringVar(&r.outputDir, "output-dir", "", "write a file for each template below this folder instead of printing")
	f.BoolVar(&r.useRelease, "release-name", false, "with --output-dir: write below a folder named after the release")
	f.BoolVar(&r.skipSchema, "skip-schema-validation", false, "do not validate values against values.schema.json")
	f.BoolVar(&r.fastKeys, "fast-keys", false, "let genCA, genSignedCert, genSelfSignedCert, genPrivateKey, htpasswd and bcrypt use cheap keys and costs that protect nothing")
	f.BoolVar(&r.debug, "debug", false, "where what was rendered is not YAML, print it none the less")
	r.placeFlags(f)
	idleFlags(f)
	for _, no := range refusedFlags() {
		f.VarPF(&refusedFlag{no}, no.name, "", no.why).Hidden = true
		if no.boolean {
			f.Lookup(no.name).NoOptDefVal = "true"
		}
	}
}

func (r *renderRun) valuesFlags(f *pflag.FlagSet) {
	f.StringSliceVarP(&r.over.Files, "values", "f", nil, "values file, - for the standard input (repeatable, or separated by commas; later ones win)")
	f.StringArrayVar(&r.over.Set, "set", nil, "KEY=VALUE,…: set values (repeatable)")
	f.StringArrayVar(&r.over.Strings, "set-string", nil, "KEY=VALUE,…: set values that stay strings (repeatable)")
	f.StringArrayVar(&r.over.Texts, "set-file", nil, "KEY=FILE,…: set values to what files hold (repeatable)")
	f.StringArrayVar(&r.over.JSON, "set-json", nil, "KEY=JSON,…: set values (repeatable)")
	f.StringArrayVar(&r.over.Literal, "set-literal", nil, "KEY=VALUE: set a string in which nothing is special (repeatable)")
}

// placeFlags are about where charts and dependencies come from.
func (r *renderRun) placeFlags(f *pflag.FlagSet) {
	c := repositoryFlags(f)
	r.common = c
	f.StringArrayVar(&c.mirrors, "mirror", nil, "FROM=TO: ask TO for what is wanted of the repository prefix FROM; a folder TO stands in (repeatable)")
	f.BoolVar(&c.plainHTTP, "plain-http", false, "speak HTTP without TLS to registries")
	f.StringVar(&c.caFile, "ca-file", "", "PEM file of authorities that registries are trusted by, besides the system's")
	f.StringVar(&r.repo, "repo", "", "URL of the chart repository that CHART is the name of a chart in")
	f.StringVar(&r.version, "version", "", "version, or range of versions, of a fetched CHART (default: the latest)")
	f.BoolVar(&r.devel, "devel", false, "take pre-releases of a fetched CHART too")
	f.Bool("dependency-update", false, "as without it: dependencies that charts/ lacks are resolved, by Chart.lock where there is one, and nothing is written")
}

// idleFlags are flags that change nothing in the output of `helm template`
// either; scripts give them all the same.
func idleFlags(f *pflag.FlagSet) {
	for _, name := range []string{"create-namespace", "force", "replace", "wait", "wait-for-jobs", "atomic", "disable-openapi-validation",
		"skip-crds", "render-subchart-notes", "hide-notes", "take-ownership"} {
		f.Bool(name, false, "")
		f.Lookup(name).Hidden = true
	}
	f.Duration("timeout", 0, "")
	f.String("description", "", "")
	f.StringToStringP("labels", "l", nil, "")
	f.VarPF(&dryRunFlag{}, "dry-run", "", "").NoOptDefVal = "client"
	f.Int("burst-limit", 0, "")
	f.Float32("qps", 0, "")
	for _, name := range []string{"timeout", "description", "labels", "dry-run", "burst-limit", "qps"} {
		f.Lookup(name).Hidden = true
	}
}

// refused is a flag of `helm template` that is not for us.
type refused struct {
	name    string
	boolean bool
	why     string
}

const (
	whyCluster     = "nothing here talks to a cluster"
	whyCredentials = "credentials come from the files that docker login and helm repo add write, and from CI"
	whyFiles       = "Helm's variables name these files: HELM_REGISTRY_CONFIG, HELM_REPOSITORY_CONFIG"
)

// refusedFlags are the flags of `helm template` that are refused, and why.
func refusedFlags() []refused {
	out := []refused{
		{"validate", true, whyCluster + "; chartgate validate checks charts without one"},
		{"enable-dns", true, "templates never resolve names"},
		{"post-renderer", false, "no other program is run; pipe the output into it"},
		{"post-renderer-args", false, "no other program is run; pipe the output into it"},
		{"verify", true, "provenance files are not looked at; run helm verify before"},
		{"keyring", false, "provenance files are not looked at; run helm verify before"},
		{"username", false, whyCredentials},
		{"password", false, whyCredentials},
		{"pass-credentials", true, "credentials go only to the host that they are for"},
		{"cert-file", false, whyCredentials},
		{"key-file", false, whyCredentials},
		{"insecure-skip-tls-verify", true, "certificates are always verified; --ca-file names an authority to trust"},
		{"registry-config", false, whyFiles},
		{"repository-config", false, whyFiles},
		{"repository-cache", false, "Helm's cache is not used; CHARTGATE_CACHE_DIR is where fetched charts are kept"},
		{"kube-insecure-skip-tls-verify", true, whyCluster},
	}
	for _, name := range []string{"kubeconfig", "kube-context", "kube-token", "kube-as-user", "kube-as-group", "kube-apiserver", "kube-ca-file", "kube-tls-server-name"} {
		out = append(out, refused{name, false, whyCluster})
	}
	return out
}

// refusedFlag fails with the reason when it is set.
type refusedFlag struct{ refused }

func (r *refusedFlag) Set(value string) error {
	if off, err := strconv.ParseBool(value); r.boolean && err == nil && !off {
		return nil
	}
	return fmt.Errorf("chartgate render does not take it: %s", r.why)
}

func (r *refusedFlag) String() string { return "" }
func (r *refusedFlag) Type() string   { return "refused" }

// dryRunFlag takes what leaves a cluster alone.
type dryRunFlag struct{}

func (*dryRunFlag) Set(value string) error {
	switch value {
	case "", "client", "true":
		return nil
	case "server", "none", "false":
		return fmt.Errorf("chartgate render does not take it: %s", whyCluster)
	}
	return errors.New("it is none of false, true, none, client, server")
}

func (*dryRunFlag) String() string { return "" }
func (*dryRunFlag) Type() string   { return "string" }
