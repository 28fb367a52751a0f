package yamllint

import (
	"strconv"
	"strings"
)

// value returns what a scalar stands for in YAML 1.1: nil, a bool, an int, a float64 or a string; a mapping or a
// sequence is returned as the node itself.
func (n *node) value() any {
	if n.kind != scalarNode {
		return n
	}
	if !n.plain {
		return n.text
	}
	switch n.text {
	case "", "~", "null", "Null", "NULL":
		return nil
	case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
		return true
	case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return false
	}
	if i, ok := yamlInt(n.text); ok {
		return i
	}
	if strings.Trim(n.text, "+-.0123456789eE_") == "" && strings.Contains(n.text, ".") && strings.ContainsAny(n.text, "0123456789") {
		if f, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64); err == nil {
			return f
		}
	}
	return n.text
}

// yamlInt reads an integer of YAML 1.1: decimal, 0 octal, 0x hexadecimal, 0b binary, with underscores.
func yamlInt(s string) (int, bool) {
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	if digits == "" || digits[0] < '0' || digits[0] > '9' || strings.HasPrefix(s, "-+") {
		return 0, false
	}
	base := 10
	clean := strings.ReplaceAll(digits, "_", "")
	switch {
	case strings.HasPrefix(clean, "0x"):
		base, clean = 16, clean[2:]
	case strings.HasPrefix(clean, "0b"):
		base, clean = 2, clean[2:]
	case len(clean) > 1 && clean[0] == '0':
		base, clean = 8, clean[1:]
	}
	n, err := strconv.ParseInt(clean, base, 0)
	if err != nil {
		return 0, false
	}
	if s[0] == '-' {
		n = -n
	}
	return int(n), true
}
