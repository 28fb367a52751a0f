package publish

import "fmt"

// BranchError says that charts are not published from here: the refusal of exit code 1.
type BranchError struct {
	Message string
	Hint    string
}

func (e *BranchError) Error() string { return e.Message }

// BranchAllowed returns a *BranchError unless the commit at hand is that of the default branch.
//
// In a GitLab pipeline the pipeline's variables say where it runs, and current counts for nothing: the checkout there is of a commit,
// not of a branch. A pipeline for a merge request is not the default branch, even when it tests the merge into it, and
// neither is one for a tag, which may stand on any commit. Elsewhere current is the branch that is checked out, "" if none is.
//
// defaultBranch is the configured one, or what git knows; where it is "", CI_DEFAULT_BRANCH serves.
func BranchAllowed(env func(string) string, current, defaultBranch string) error {
	if defaultBranch == "" {
		defaultBranch = env("CI_DEFAULT_BRANCH")
	}
	other, branch, inside := pipeline(env)
	if inside {
		current = branch
	}
	switch {
	case inside && other != "":
		return refuseBranch(other, defaultBranch)
	case current == "":
		return refuseBranch("a commit that is on no branch", defaultBranch)
	case defaultBranch == "":
		return &BranchError{Message: fmt.Sprintf("refusing to publish from branch %q: the default branch is not known", current),
			Hint: "name it as default-branch in chartgate.yaml, or say --any-branch"}
	case current != defaultBranch:
		return refuseBranch(fmt.Sprintf("branch %q", current), defaultBranch)
	}
	return nil
}

func refuseBranch(from, defaultBranch string) error {
	only := "only the default branch publishes"
	if defaultBranch != "" {
		only = fmt.Sprintf("only the default branch %q publishes", defaultBranch)
	}
	return &BranchError{Message: fmt.Sprintf("refusing to publish from %s: %s", from, only),
		Hint: "publish from the default branch, or say --any-branch"}
}

// pipeline is where a GitLab pipeline runs: for a branch, or for something other than one. inside is false elsewhere.
func pipeline(env func(string) string) (other, branch string, inside bool) {
	request, tag := env("CI_MERGE_REQUEST_IID"), env("CI_COMMIT_TAG")
	branch = env("CI_COMMIT_BRANCH")
	switch {
	case request != "":
		return fmt.Sprintf("merge request %q", "!"+request), "", true
	case tag != "":
		return fmt.Sprintf("tag %q", tag), "", true
	case branch != "":
		return "", branch, true
	case env("GITLAB_CI") == "true":
		return "a pipeline of no branch", "", true
	}
	return "", "", false
}
