package lintandtest

import (
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/endpoints/deprecation"
	"k8s.io/client-go/kubernetes/scheme"
)

// kubeVersion is the Kubernetes version that a chart is rendered for.
type kubeVersion struct{ major, minor int }

// nameValidator is the rule that Kubernetes has for names of a kind, as far as Helm knows it.
func nameValidator(kind string) validation.ValidateNameFunc {
	switch strings.ToLower(kind) {
	case "service":
		return validation.NameIsDNS1035Label
	case "namespace":
		return validation.ValidateNamespaceName
	case "serviceaccount":
		return validation.ValidateServiceAccountName
	case "certificatesigningrequest":
		return func(string, bool) []string { return nil }
	case "role", "clusterrole", "rolebinding", "clusterrolebinding":
		return func(name string, _ bool) []string { return content.IsPathSegmentName(name) }
	}
	return validation.NameIsDNSSubdomain
}

// kinds is Kubernetes' own scheme, which takes milliseconds to build.
var kinds = sync.OnceValues(func() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	return s, scheme.AddToScheme(s)
})

// deprecated returns Kubernetes' warning about an API that the version has
// deprecated or no longer serves, "" if none.
func deprecated(o *object, kube kubeVersion) string {
	if o.APIVersion == "" || o.Kind == "" {
		return ""
	}
	s, err := kinds()
	if err != nil {
		return err.Error()
	}
	gvk := schema.FromAPIVersionAndKind(o.APIVersion, o.Kind)
	obj, err := s.New(gvk)
	if err != nil {
		if runtime.IsNotRegisteredError(err) {
			return "" // a custom resource
		}
		return err.Error()
	}
	obj.GetObjectKind().SetGroupVersionKind(gvk)
	if !deprecation.IsDeprecated(obj, kube.major, kube.minor) {
		return ""
	}
	return deprecation.WarningMessage(obj)
}
