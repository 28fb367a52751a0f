// Package yamllint checks YAML text for syntax errors and for style: the rules, the configuration files and the inline
// directives are those that users of the yamllint program know, and so are lines, columns and words of what it finds.
//
// The engine knows nothing of charts. Lint is the entry; Rules lists what can be checked; ParseConfig reads a
// configuration file and FindConfig looks for one.
//
// A run is one pass over the text: a scanner makes tokens, a parser checks their grammar, and every rule sees tokens,
// comments and lines as they come. Nothing recurses and nothing but the problems found grows with the text.
package yamllint
