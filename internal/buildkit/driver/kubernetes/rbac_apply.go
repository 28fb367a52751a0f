package kubernetes

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	authv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	authclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	rbacclient "k8s.io/client-go/kubernetes/typed/rbac/v1"
	"sigs.k8s.io/yaml"
)

// Apply applies what RBAC printed, server-side, and returns what was applied: "Role chartgate-builder-admin".
// It wants more rights than the Role gives: those of an administrator of the namespace.
func (c *Client) Apply(ctx context.Context, docs []byte) ([]string, error) {
	rbac, err := rbacclient.NewForConfig(c.config)
	if err != nil {
		return nil, fmt.Errorf("preparing to apply the Role: %w", err)
	}
	var applied []string
	for _, doc := range bytes.Split(docs, []byte("\n---\n")) {
		var object metav1.PartialObjectMetadata
		if err := yaml.Unmarshal(doc, &object); err != nil {
			return applied, fmt.Errorf("reading the Role: %w", err)
		}
		if object.Kind == "" {
			continue // the comment that comes first
		}
		if err := c.applyOne(ctx, rbac, object, doc); err != nil {
			return applied, err
		}
		applied = append(applied, object.Kind+" "+object.Name)
	}
	return applied, nil
}

func (c *Client) applyOne(ctx context.Context, rbac rbacclient.RbacV1Interface, object metav1.PartialObjectMetadata, doc []byte) error {
	// What others have set in these objects is theirs only where we do not set it: a Role that is not
	// as printed would not be the Role.
	force := true
	options := metav1.PatchOptions{FieldManager: ManagedBy, Force: &force}
	var (
		err      error
		resource string
	)
	switch object.Kind {
	case "ServiceAccount":
		resource = "serviceaccounts"
		_, err = c.core.ServiceAccounts(object.Namespace).Patch(ctx, object.Name, types.ApplyPatchType, doc, options)
	case "Role":
		resource = "roles.rbac.authorization.k8s.io"
		_, err = rbac.Roles(object.Namespace).Patch(ctx, object.Name, types.ApplyPatchType, doc, options)
	case "RoleBinding":
		resource = "rolebindings.rbac.authorization.k8s.io"
		_, err = rbac.RoleBindings(object.Namespace).Patch(ctx, object.Name, types.ApplyPatchType, doc, options)
	default:
		return fmt.Errorf("applying the Role: a %q has no place in it", object.Kind)
	}
	err = c.apiError(ctx, fmt.Sprintf("applying the %s %q", object.Kind, object.Name), "patch", resource, "", err)
	var failed *driver.Error
	var forbidden *ForbiddenError
	if errors.As(err, &failed) && errors.As(err, &forbidden) {
		failed.Hint = "leave out --apply, and have an administrator of the namespace apply what is printed: kubectl apply -f buildkit-rbac.yaml"
	}
	return err
}

// Access is the API server's answer to whether this account has a right.
type Access struct {
	Right   Right
	Allowed bool
	Reason  string // the server's own words; mostly empty
}

// Review asks the API server, as this account, for each right of a form (SelfSubjectAccessReview, which
// every account may).
func (c *Client) Review(ctx context.Context, form Form) ([]Access, error) {
	auth, err := authclient.NewForConfig(c.config)
	if err != nil {
		return nil, fmt.Errorf("preparing to ask for rights: %w", err)
	}
	var out []Access
	for _, r := range Rights(form) {
		resource, sub := splitResource(r.Resource)
		review := &authv1.SelfSubjectAccessReview{Spec: authv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authv1.ResourceAttributes{
			Namespace: c.Namespace, Verb: r.Verb, Group: r.Group, Resource: resource, Subresource: sub}}}
		answer, err := auth.SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return nil, c.apiError(ctx, "asking for the right to "+r.String(), "create", "selfsubjectaccessreviews.authorization.k8s.io", "", err)
		}
		out = append(out, Access{r, answer.Status.Allowed, foreign(answer.Status.Reason)})
	}
	return out, nil
}
