package buildkit

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/chartgate/chartgate/internal/buildkit/driver"
	"github.com/moby/buildkit/solver/errdefs"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is a build that failed.
type Error struct {
	Image  string
	Ours   bool   // the fault is with the builder, a registry or the network, not with the image
	Err    error  // the daemon's words, or a driver's error
	Source string // the lines of the Dockerfile at fault, as BuildKit prints them; may be empty
	Hint   string
}

func (e *Error) Error() string {
	msg := fmt.Sprintf("building %q: %v", e.Image, e.Err)
	if e.Source != "" {
		msg += "\n" + strings.TrimRight(e.Source, "\n")
	}
	return msg
}

func (e *Error) Unwrap() error { return e.Err }

// symptom is a failure that the daemon tells in words only.
type symptom struct {
	words *regexp.Regexp
	ours  bool
	hint  string // $1 is what the words' first group found
}

// symptoms are looked for in order; the first that fits gives the hint.
func symptoms() []symptom {
	s := func(words string, ours bool, hint string) symptom {
		return symptom{regexp.MustCompile(words), ours, hint}
	}
	return []symptom{
		s(`no space left on device`, true, "the builder's disk is full: give it more, or prune what it keeps (chartgate builder prune; driver option persistent volume or root on a larger disk)"),
		s(`http: server gave HTTP response to HTTPS client`, true, "the registry speaks HTTP without TLS: --plain-http, and for base images a [registry] entry in the daemon's buildkitd.toml"),
		s(`x509: certificate signed by unknown authority`, true, "the builder does not trust the registry's certificate: name its authority under [registry.\"HOST\"] ca in the daemon's buildkitd.toml"),
		s(`(?i)blob unknown to registry`, true, "a registry that refuses attestations as OCI artifacts wants oci-artifact=false, or --provenance=false"),
		s(`(?i)push access denied|insufficient_scope|401 Unauthorized|403 Forbidden|denied: |authorization failed|no basic auth credentials`, true, "the registry wants other credentials: they come from CI_REGISTRY_USER and CI_REGISTRY_PASSWORD (for CI_REGISTRY alone), DOCKER_AUTH_CONFIG or Docker's configuration"),
		s(`failed to push (\S+):`, true, "the registry did not take $1"),
		s(`secret ([^ :]+): not found`, false, "give it: --secret id=$1,src=FILE or --secret id=$1,env=VARIABLE, or secrets: of the image"),
		s(`unset ssh forward key (\S+)`, false, "give it: --ssh $1=KEY, or ssh: of the image"),
		s(`granting entitlement (\S+) is not allowed`, true, "the daemon must be started with --allow-insecure-entitlement $1"),
		s(`(network\.host|security\.insecure) is not allowed`, false, "the Dockerfile asks for more than a build may: --allow $1 grants it, where the daemon does"),
		s(`(?:failed to resolve source metadata for|failed to load metadata for) (\S+?):? `, true, "the builder cannot fetch the base image $1: is its name right, and does the builder reach its registry, directly or by a mirror in its buildkitd.toml?"),
		s(`no match for platform in manifest|exec format error`, false, "the base image has no such platform, or the builder cannot run it"),
		s(`operation not permitted|permission denied: .*newuidmap|fork/exec /proc/self/exe`, false, "chartgate doctor says what this machine allows a rootless builder"),
	}
}

// explain turns the error of a build into an *Error; cancelled contexts stay as they are.
func (r *Run) explain(ctx context.Context, i *Image, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var definition *DefinitionError
	if errors.As(err, &definition) {
		return err
	}
	e := &Error{Image: i.Name, Err: err, Hint: driver.HintOf(err)}
	var (
		gone   *driver.LostError
		reach  *driver.Error
		source strings.Builder
	)
	if errors.As(err, &gone) {
		e.Ours, e.Err = true, gone
		return e
	}
	if errors.As(err, &reach) {
		e.Ours, e.Err = true, reach
		return e
	}
	for _, s := range errdefs.Sources(err) {
		s.Info.Filename = r.sourceName(i, s.Info.Filename)
		s.Print(&source)
	}
	e.Source = source.String()
	e.Ours = e.Source == "" && unavailable(err)
	for _, s := range symptoms() {
		if m := s.words.FindStringSubmatchIndex(err.Error()); m != nil {
			e.Ours, e.Hint = s.ours, string(s.words.ExpandString(nil, s.hint, err.Error(), m))
			break
		}
	}
	return e
}

// sourceName spells the Dockerfile as it is in the repository.
func (r *Run) sourceName(i *Image, name string) string {
	if strings.HasSuffix(i.Dockerfile, name) && !isURL(i.Context) {
		return r.show(i.Dockerfile)
	}
	return name
}

// unavailable says whether the connection failed, not the build.
func unavailable(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.Canceled, codes.DeadlineExceeded:
		return true
	}
	return strings.Contains(err.Error(), connectionEnded) || strings.Contains(err.Error(), "no active session")
}
