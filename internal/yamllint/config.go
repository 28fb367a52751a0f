package yamllint

import (
	"fmt"
	"slices"
)

// Config says which rules are on, how they are set, and which files they are for. It is immutable.
type Config struct {
	rules     []ruleConfig // in the order of the file, after that of what it extends
	ignore    *patterns
	yamlFiles *patterns
}

type ruleConfig struct {
	rule    *Rule
	enabled bool
	level   Level
	ignore  *patterns
	options options
}

// ConfigError is a configuration that cannot be used.
type ConfigError struct {
	Name   string // of the file
	Line   int    // from 1; 0 where no line is at fault
	Column int    // from 1
	Reason string
}

func (e *ConfigError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: invalid config: %s", e.Name, e.Reason)
	}
	return fmt.Sprintf("%s:%d:%d: invalid config: %s", e.Name, e.Line, e.Column, e.Reason)
}

// IgnoresFile tells whether no rule is to look at a file. The path is relative to the working directory, with slashes.
func (c *Config) IgnoresFile(path string) bool { return c.ignore.match(path) }

// IsYAMLFile tells whether a file found in a folder is to be linted, which its name decides.
func (c *Config) IsYAMLFile(path string) bool { return c.yamlFiles.match(path) }

// Enabled tells whether a rule is on, and the level of its problems.
func (c *Config) Enabled(rule string) (Level, bool) {
	for i := range c.rules {
		if rc := &c.rules[i]; rc.rule.Name == rule {
			return rc.level, rc.enabled
		}
	}
	return Error, false
}

// clone returns a copy that can be changed.
func (c *Config) clone() *Config {
	d := *c
	d.rules = slices.Clone(c.rules)
	return &d
}

// find returns the configuration of a rule, which it adds where there was none.
func (c *Config) find(rule *Rule) *ruleConfig {
	for i := range c.rules {
		if c.rules[i].rule.Name == rule.Name {
			return &c.rules[i]
		}
	}
	c.rules = append(c.rules, ruleConfig{rule: rule})
	return &c.rules[len(c.rules)-1]
}
