// Package render turns a resolved chart and a values set into manifests: the
// bytes that `helm template` prints, each line with the template line that it
// came from.
package render
