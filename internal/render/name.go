package render

import (
	"context"
	"errors"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
	"github.com/chartgate/chartgate/internal/render/engine"
	helmchart "helm.sh/helm/v3/pkg/chart"
	helmutil "helm.sh/helm/v3/pkg/chartutil"
)

// nameTemplate is what errors call the template of a name, as in Helm.
const nameTemplate = "name-template"

// ReleaseName executes the template of a release's name, --name-template. It
// has the functions of charts' templates and their limits: in contrast to Helm, it
// neither reads the environment nor resolves names. The name is not validated.
func ReleaseName(ctx context.Context, text string) (string, error) {
	funcs := sprig.TxtFuncMap()
	delete(funcs, "env")
	delete(funcs, "expandenv")
	if _, err := template.New(nameTemplate).Funcs(funcs).Parse(text); err != nil {
		return "", err // in Helm's words
	}
	c := &helmchart.Chart{
		Metadata:  &helmchart.Metadata{Name: nameTemplate},
		Templates: []*helmchart.File{{Name: nameTemplate, Data: []byte(text)}},
	}
	e := engine.New(engine.Options{Limits: Limits{Time: 5 * time.Second, Memory: 1 << 20, Output: 1 << 10, Source: 64 << 10}})
	out, err := e.Execute(ctx, c, helmutil.Values{})
	var fault *Error
	if errors.As(err, &fault) {
		words := *fault
		words.File, words.Message = "", strings.ReplaceAll(fault.Message, nameTemplate+"/"+nameTemplate, nameTemplate)
		return "", &words
	}
	if err != nil {
		return "", err
	}
	return out.Templates[0].Text, nil
}
