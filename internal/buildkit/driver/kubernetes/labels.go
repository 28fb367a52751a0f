package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Labels of everything that this driver makes. ManagedBy and Name together say that an
// object is ours: nothing without both is ever changed or deleted.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	LabelName      = "app.kubernetes.io/name"
	// LabelOrg and LabelProtected say whom a builder serves. Their values are what LabelValue
	// makes of the organisation, and "true" or "false".
	LabelOrg       = "chartgate.io/org"
	LabelProtected = "chartgate.io/protected"
	// LabelBuilder is the name of the builder, on the workload, its pods and its claims. It is
	// what the workload selects its pods by.
	LabelBuilder = "chartgate.io/builder"

	ManagedBy = "chartgate"
	AppName   = "buildkit"
)

// Annotations of a builder's workload.
const (
	// AnnotationOrg is the organisation as it was given.
	AnnotationOrg = "chartgate.io/org"
	// AnnotationLastUse is when a build last began or ended on the builder: RFC 3339 in UTC, to
	// the second.
	AnnotationLastUse = "chartgate.io/last-use"
	// AnnotationTTL is how long the builder may be idle before anybody may remove it, as
	// time.Duration prints it; none or "0s" is for ever.
	AnnotationTTL = "chartgate.io/ttl"
	// AnnotationSpec is the hash of the manifest that was applied, by which drift of the options
	// shows.
	AnnotationSpec = "chartgate.io/spec"
)

// maxName is how long a builder's name may be: what a StatefulSet puts behind it, for its pods
// and in the label controller-revision-hash, has to fit into the 63 bytes of a label.
const maxName = 40

// BuilderName is the name of the builder of an organisation: one for protected refs and one for
// all others, which never meet. It is a DNS label (RFC 1123) of at most 40 bytes, always the
// same for the same arguments. Wherever the organisation does not fit in unchanged, a part of
// its hash keeps the names of two organisations apart.
func BuilderName(org string, protected bool) string {
	name, suffix := AppName+"-", ""
	if protected {
		suffix = "-protected"
	}
	return name + slug(org, maxName-len(name)-len(suffix)) + suffix
}

// reserved says that a name, left as it is, could be taken for what was made of another: what ends
// like the suffix of protected builders or like a hash is given a hash of its own.
func reserved(org string) bool {
	if org == "protected" || strings.HasSuffix(org, "-protected") {
		return true
	}
	tail := org[strings.LastIndexByte(org, '-')+1:]
	if len(tail) != hashLen {
		return false
	}
	_, err := hex.DecodeString(tail)
	return err == nil
}

// LabelValue makes a label's value of any text: the text itself where it is one, else the part of it
// that can be read and a part of its hash. It is at most 63 bytes.
func LabelValue(text string) string {
	return slug(text, 63)
}

// Selector is what every object of ours matches, as the API takes it.
func Selector() string {
	return LabelManagedBy + "=" + ManagedBy + "," + LabelName + "=" + AppName
}

// Labels are those of a builder's workload; its pods and claims bear the same.
func Labels(name, org string, protected bool) map[string]string {
	flag := "false"
	if protected {
		flag = "true"
	}
	return map[string]string{
		LabelManagedBy: ManagedBy, LabelName: AppName, LabelBuilder: name,
		LabelOrg: LabelValue(org), LabelProtected: flag,
	}
}

// IsOurs says whether labels are those of an object that this driver made.
func IsOurs(labels map[string]string) bool {
	return labels[LabelManagedBy] == ManagedBy && labels[LabelName] == AppName && labels[LabelBuilder] != ""
}

// FormatTime and ParseTime are the form of AnnotationLastUse.
func FormatTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ParseTime is the zero time where the text is no time.
func ParseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// hashLen is how much of a hash, in hexadecimal, tells two names apart.
const hashLen = 10

// slug is text as lower-case letters, digits and inner dashes, at most max bytes. It is text itself
// where that is so already and it is not reserved; else a hash follows.
func slug(text string, max int) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= 'A' && r <= 'Z':
			b.WriteRune(r - 'A' + 'a')
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() > max {
			break
		}
	}
	plain := strings.Trim(b.String(), "-")
	if plain == text && plain != "" && len(plain) <= max && !reserved(plain) {
		return plain
	}
	sum := sha256.Sum256([]byte(text))
	hash := hex.EncodeToString(sum[:])[:hashLen]
	if room := max - hashLen - 1; len(plain) > room {
		plain = strings.TrimRight(plain[:room], "-")
	}
	if plain == "" {
		return hash
	}
	return plain + "-" + hash
}
