package cache

import (
	"fmt"
	"strconv"
)

// The variables that say what a run may read.
const (
	// KeyVariable holds the key of the protected scope. In GitLab: a protected and
	// masked variable, which only jobs of protected refs get.
	KeyVariable = "CHARTGATE_RESULT_CACHE_KEY"
	minKey      = 16
)

// Scope says who can have written an entry.
type Scope string

// The scopes.
const (
	Closed    Scope = ""          // nothing is read or written
	Own       Scope = "own"       // a person's own machine: whoever writes there needs to forge nothing
	Open      Scope = "open"      // jobs of refs that anybody may push to
	Protected Scope = "protected" // jobs that have the key
)

// shared is the scope that an entry has in a shared repository: what a machine
// calls its own is anybody's there.
func (s Scope) shared() Scope {
	if s == Own {
		return Open
	}
	return s
}

// Access says which entries a run may read and write.
type Access struct {
	Scope  Scope
	Key    []byte // of the protected scope
	Shared bool   // whether a shared repository may be asked
	Why    string // why the scope is Closed
}

// Decide finds a run's Access. Refs that are protected, and runs that publish, read
// only what has been authenticated with the key; without one they compute
// afresh. A run outside of CI that publishes reads what its own machine computed.
func Decide(env func(string) string, publish bool) (Access, error) {
	key := env(KeyVariable)
	if key != "" && len(key) < minKey {
		return Access{}, fmt.Errorf("%s has %d bytes, and a key has %d at least", KeyVariable, len(key), minKey)
	}
	ci := truthy(env("CI")) || truthy(env("GITLAB_CI"))
	protected := truthy(env("CI_COMMIT_REF_PROTECTED"))
	switch {
	case !ci && key == "":
		return Access{Scope: Own, Shared: !publish}, nil
	case !ci, (protected || publish) && key != "":
		return Access{Scope: Protected, Key: []byte(key), Shared: true}, nil
	case publish:
		return Access{Why: "publish believes only what protected refs computed: set " + KeyVariable + " as a protected variable"}, nil
	case protected:
		return Access{Why: "protected refs believe only what protected refs computed: set " + KeyVariable + " as a protected variable"}, nil
	}
	return Access{Scope: Open, Shared: true}, nil
}

// truthy reads CI's variables: what is set and says neither no nor 0 is a yes.
func truthy(s string) bool {
	b, err := strconv.ParseBool(s)
	return s != "" && (err != nil || b)
}
