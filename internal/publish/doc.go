// Package publish brings charts into OCI registries, once and for all.
//
// A version that has been published never changes. Before anything is pushed, every target is asked for every chart:
//
//   - nothing there: it is pushed;
//   - the same paths and bytes there, whoever pushed them and whatever times were stamped: it is skipped;
//   - other content under the same version: it is refused, with the files that differ.
//
// # A push
//
// The chart's contents go first, its manifest last, and only the manifest makes the tag visible: half a push is never seen,
// and trying again completes it. Archive, configuration and manifest hold no time, so that one commit gives
// one manifest digest on every machine. After the push the chart is fetched back under its tag and compared.
//
// # Races
//
// Registries have no way to say "only if the tag is free", so two jobs that publish at once can both find it free. The tag is
// looked up again before each push, after it, and once more at the end of the run. Equal content does not
// conflict; of two jobs with different contents, the one whose manifest was overwritten reports it. Where jobs can
// overlap, GitLab's resource_group lets one publish at a time.
package publish
