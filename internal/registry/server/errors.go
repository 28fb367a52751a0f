package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
)

// The error codes of the distribution specification.
const (
	codeBlobUnknown         = "BLOB_UNKNOWN"
	codeUploadInvalid       = "BLOB_UPLOAD_INVALID"
	codeUploadUnknown       = "BLOB_UPLOAD_UNKNOWN"
	codeDigestInvalid       = "DIGEST_INVALID"
	codeManifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
	codeManifestInvalid     = "MANIFEST_INVALID"
	codeManifestUnknown     = "MANIFEST_UNKNOWN"
	codeNameInvalid         = "NAME_INVALID"
	codeNameUnknown         = "NAME_UNKNOWN"
	codeSizeInvalid         = "SIZE_INVALID"
	codeDenied              = "DENIED"
	codeUnsupported         = "UNSUPPORTED"
	codeTooMany             = "TOOMANYREQUESTS"
	codeUnknown             = "UNKNOWN"
)

// refusal is an answer that is not a success.
type refusal struct {
	status  int
	code    string
	message string
}

func (e *refusal) Error() string { return e.code + ": " + e.message }

func refuse(status int, code, format string, args ...any) error {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// writeError answers in the specification's form. A failure of our own says that
// it is one, without the paths in its text.
func writeError(w *recorder, err error) {
	if w.status != 0 {
		return // too late: the body is under way, and its length tells the client
	}
	var r *refusal
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &r):
	case errors.As(err, &tooLarge):
		r = &refusal{http.StatusRequestEntityTooLarge, codeSizeInvalid, fmt.Sprintf("more than %d bytes", tooLarge.Limit)}
	case errors.Is(err, fs.ErrPermission):
		r = &refusal{http.StatusForbidden, codeDenied, "the registry may not write to its folder"}
	default:
		r = &refusal{http.StatusInternalServerError, codeUnknown, "the registry could not use its folder"}
	}
	type item struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	body, err := json.Marshal(struct {
		Errors []item `json:"errors"`
	}{[]item{{r.code, r.message}}})
	if err != nil {
		body = []byte(`{"errors":[]}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}

func writeJSON(w http.ResponseWriter, mediaType string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body) // whoever asked has gone, if that fails
	return nil
}
