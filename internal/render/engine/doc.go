// Package engine renders the templates of a chart to the bytes that Helm 3
// renders, and, unlike Helm's engine, can be cancelled, is bounded whatever a
// template does, and knows which line of which template wrote each byte.
//
// The templates run in text/template. Their parsed trees are rewritten first:
// hidden text nodes without a byte of text tell the writer where execution
// is, which loop took another turn and which template was entered; hidden
// functions at the end of pipelines look at values before they are printed.
package engine
