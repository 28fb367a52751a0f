package yamllint

import "regexp"

// notStrings match the plain scalars that YAML 1.1 takes for something else than a string: floating-point numbers,
// integers (and YAML 1.2's octal ones), times.
var notStrings = regexp.MustCompile(`^(?:` +
	`[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|` +
	`\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|` +
	`[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|` +
	`[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|` +
	`[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+|` +
	`[-+]?0o[0-7_]+|` +
	`[0-9]{4}-[0-9]{2}-[0-9]{2}|` +
	`[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?` +
	`(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?` +
	`)$`)

// isPlainString tells whether a scalar without quotes is a string in YAML 1.1.
func isPlainString(s string) bool {
	switch s {
	case "", "~", "null", "Null", "NULL", "<<", "=",
		"yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF":
		return false
	}
	return !mayBeNumber(s) || !notStrings.MatchString(s)
}
