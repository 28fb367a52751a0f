package publish

import (
	"errors"
	"fmt"
	"slices"

	"github.com/chartgate/chartgate/internal/registry"
)

// Embedded is the target that stands for the registry within the process.
const Embedded = "embedded"

// Target is a place below which each chart has a repository of its own.
type Target struct {
	Name     string             // as it was asked for
	Ref      registry.Reference // the prefix; for the embedded registry zero until Started
	Embedded bool               // takes charts from any branch, with stand-ins or without a lock
}

// TargetError says that a target is none, or that there is none: wrong usage.
type TargetError struct {
	Message string
	Hint    string // "" if the message says it all
	Err     error  // the cause, may be nil
}

func (e *TargetError) Error() string { return e.Message }
func (e *TargetError) Unwrap() error { return e.Err }

// ParseTarget reads "oci://host[:port][/prefix]", the same without the scheme where the host cannot be mistaken for a path, or
// "embedded". The error is a *TargetError.
func ParseTarget(s string) (Target, error) {
	if s == Embedded {
		return Target{Name: s, Embedded: true}, nil
	}
	ref, err := registry.ParseReference(s)
	if err != nil {
		return Target{}, &TargetError{Message: fmt.Sprintf("reading target: %v", err), Err: err,
			Hint: "a target is oci://HOST/PREFIX, or the word " + Embedded}
	}
	if ref.Tag != "" || ref.Digest != "" {
		return Target{}, &TargetError{Message: fmt.Sprintf("reading target: %q names one chart", s),
			Hint: "leave tag and digest out: each chart goes to PREFIX/NAME, tagged with its version"}
	}
	return Target{Name: ref.String(), Ref: ref}, nil
}

// Targets reads the targets that were asked for, each once. Where none was, it is $CI_REGISTRY_IMAGE/charts, which a job in
// GitLab has. The error is a *TargetError.
func Targets(asked []string, env func(string) string) ([]Target, error) {
	if len(asked) == 0 {
		image := env("CI_REGISTRY_IMAGE")
		if image == "" {
			return nil, noTarget(env)
		}
		asked = []string{registry.Scheme + image + "/charts"}
	}
	var targets []Target
	for _, s := range asked {
		t, err := ParseTarget(s)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

func noTarget(env func(string) string) error {
	e := &TargetError{Message: "there is no target to publish to",
		Hint: "say where with --to oci://HOST/PREFIX, or try things on with --to " + Embedded}
	if env("GITLAB_CI") == "true" {
		e.Message += ": CI_REGISTRY_IMAGE is not set"
		e.Hint = "switch the project's container registry on, or say where with --to oci://HOST/PREFIX"
	}
	return e
}

// Started is the embedded target once its registry listens at addr, a host and port.
func (t Target) Started(addr string) (Target, error) {
	if !t.Embedded {
		return t, errors.New("starting a target: only the embedded one can be started")
	}
	ref, err := registry.ParseReference(registry.Scheme + addr + "/charts")
	if err != nil {
		return t, fmt.Errorf("starting the embedded target: %w", err)
	}
	t.Ref = ref
	return t, nil
}

// FreeOfBranch reports whether all targets take charts from any branch.
func FreeOfBranch(targets []Target) bool {
	return !slices.ContainsFunc(targets, func(t Target) bool { return !t.Embedded })
}
