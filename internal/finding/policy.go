package finding

// Policy is what a team says about rules: full rule names ("kubesec/RunAsUser"),
// or whole checks ("yaml-lint"), and the severity that each shall have.
type Policy map[string]Severity

// Apply returns fs with the severities of the policy; findings of rules that
// are off are left out. A rule's own entry wins over its check's.
func (p Policy) Apply(fs []Finding) []Finding {
	kept := fs[:0:0]
	for _, f := range fs {
		s, ok := p[f.Name()]
		if !ok {
			s, ok = p[f.Check]
		}
		if ok {
			f.Severity = s
		}
		if f.Severity != Off {
			kept = append(kept, f)
		}
	}
	return kept
}
