package yamllint

// The configurations that others extend. What is on, at which level, and in which order is yamllint's; a rule's own
// defaults do the rest.
const (
	defaultPreset = `
yaml-files: ['*.yaml', '*.yml', .yamllint]
rules:
  anchors: enable
  braces: enable
  brackets: enable
  colons: enable
  commas: enable
  comments: {level: warning}
  comments-indentation: {level: warning}
  document-end: disable
  document-start: {level: warning}
  empty-lines: enable
  empty-values: disable
  float-values: disable
  hyphens: enable
  indentation: enable
  key-duplicates: enable
  key-ordering: disable
  line-length: enable
  new-line-at-end-of-file: enable
  new-lines: enable
  octal-values: disable
  quoted-strings: disable
  trailing-spaces: enable
  truthy: {level: warning}
`
	relaxedPreset = `
extends: default
rules:
  braces: {level: warning, max-spaces-inside: 1}
  brackets: {level: warning, max-spaces-inside: 1}
  colons: {level: warning}
  commas: {level: warning}
  comments: disable
  comments-indentation: disable
  document-start: disable
  empty-lines: {level: warning}
  hyphens: {level: warning}
  indentation: {level: warning, indent-sequences: consistent}
  line-length: {level: warning, allow-non-breakable-inline-mappings: true}
  truthy: disable
`
	// chartsPreset is for the plain YAML of charts. Helm's own scaffold has no document start, long lines of prose in
	// comments, sequences indented or not, and commented-out values beside the real ones; none of that is a fault. What
	// changes a chart's meaning (duplicate keys, booleans by accident) or makes noise in diffs is.
	chartsPreset = `
yaml-files: ['*.yaml', '*.yml', .yamllint]
rules:
  anchors: enable
  braces: {min-spaces-inside: 0, max-spaces-inside: 0, min-spaces-inside-empty: -1, max-spaces-inside-empty: -1}
  brackets: {min-spaces-inside: 0, max-spaces-inside: 0, min-spaces-inside-empty: -1, max-spaces-inside-empty: -1}
  colons: {max-spaces-before: 0, max-spaces-after: 1}
  commas: {max-spaces-before: 0, min-spaces-after: 1, max-spaces-after: 1}
  comments: {require-starting-space: true, min-spaces-from-content: 1}
  document-end: disable
  document-start: disable
  empty-lines: {max: 2, max-start: 0, max-end: 0}
  hyphens: {max-spaces-after: 1}
  indentation: {spaces: consistent, indent-sequences: whatever, check-multi-line-strings: false}
  key-duplicates: enable
  line-length: disable
  new-line-at-end-of-file: enable
  new-lines: {type: unix}
  trailing-spaces: enable
  truthy: {level: warning}
`
)

// Default returns the configuration that yamllint uses where there is none.
func Default() *Config { return mustParse(defaultPreset) }

// Relaxed returns yamllint's more tolerant configuration.
func Relaxed() *Config { return mustParse(relaxedPreset) }

// ForCharts returns the configuration for the YAML of charts whose repository has none of its own.
func ForCharts() *Config { return mustParse(chartsPreset) }

// mustParse is for the presets above, which a test parses.
func mustParse(text string) *Config {
	cfg, err := ParseConfig([]byte(text), "preset", nil)
	if err != nil {
		panic(err)
	}
	return cfg
}
