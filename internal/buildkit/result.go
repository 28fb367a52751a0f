package buildkit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Metadata is what was built as JSON, an object by the images' names with the keys that
// docker buildx bake --metadata-file writes, and ours below "chartgate".
func Metadata(results []Result) ([]byte, error) {
	out := map[string]any{}
	for _, r := range results {
		m := map[string]any{"chartgate": map[string]any{
			"state": string(r.State), "size": r.Size, "steps": r.Steps, "cached": r.Cached,
			"seconds": r.Took.Seconds(), "builder": r.Builder, "pushed": append([]string{}, r.Pushed...),
		}}
		if r.Digest != "" {
			m["containerimage.digest"] = r.Digest
		}
		if len(r.Image.Tags) > 0 {
			m["image.name"] = strings.Join(r.Image.Tags, ",")
		}
		out[r.Image.Name] = m
	}
	return marshal(out)
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

var notInVariable = regexp.MustCompile(`[^A-Z0-9]+`)

// Dotenv is what was built as variables, for artifacts:reports:dotenv of GitLab:
// IMAGE_NAME_DIGEST, and for what was pushed IMAGE_NAME, the first reference by
// digest, and IMAGE_NAME_REFERENCE, by tag.
func Dotenv(results []Result) []byte {
	var b bytes.Buffer
	for _, r := range results {
		if r.State != Built {
			continue
		}
		name := "IMAGE_" + notInVariable.ReplaceAllString(strings.ToUpper(r.Image.Name), "_")
		if refs := r.Pushed; len(refs) > 0 {
			fmt.Fprintf(&b, "%s=%s@%s\n%s_REFERENCE=%s\n", name, withoutTag(refs[0]), r.Digest, name, refs[0])
		}
		fmt.Fprintf(&b, "%s_DIGEST=%s\n", name, r.Digest)
	}
	return b.Bytes()
}

func withoutTag(ref string) string {
	if at := strings.LastIndexByte(ref, ':'); at > strings.LastIndexByte(ref, '/') {
		return ref[:at]
	}
	return ref
}

// Print writes the images as JSON, by name, in the words of docker buildx bake
// --print. Values of secrets are not among them.
func Print(w io.Writer, images []*Image) error {
	targets := map[string]any{}
	for _, i := range images {
		t := map[string]any{"context": i.Context}
		put := func(key string, value any, empty bool) {
			if !empty {
				t[key] = value
			}
		}
		var secrets, outputs []string
		for _, s := range i.Secrets {
			secrets = append(secrets, "id="+s.ID+", "+s.Origin)
		}
		for _, o := range i.Outputs {
			outputs = append(outputs, o.String())
		}
		put("dockerfile", i.Dockerfile, i.Dockerfile == "")
		put("target", i.Target, i.Target == "")
		put("args", i.Args, len(i.Args) == 0)
		put("labels", i.Labels, len(i.Labels) == 0)
		put("contexts", i.Contexts, len(i.Contexts) == 0)
		put("platforms", i.Platforms, len(i.Platforms) == 0)
		put("tags", i.Tags, len(i.Tags) == 0)
		put("cache-from", spelled(i.CacheFrom), len(i.CacheFrom) == 0)
		put("cache-to", spelled(i.CacheTo), len(i.CacheTo) == 0)
		put("secret", secrets, len(secrets) == 0)
		put("ssh", i.SSH, len(i.SSH) == 0)
		put("output", outputs, len(outputs) == 0)
		put("depends-on", i.Needs, len(i.Needs) == 0)
		targets[i.Name] = t
	}
	data, err := marshal(map[string]any{"target": targets})
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

func spelled(caches []Cache) []string {
	var out []string
	for _, c := range caches {
		out = append(out, c.String())
	}
	return out
}

// ParseAttest reads --attest, --provenance and --sbom into attestations by type.
func ParseAttest(attest []string, provenance, sbom string) (map[string]string, error) {
	out := map[string]string{}
	for flag, value := range map[string]string{"provenance": provenance, "sbom": sbom} {
		switch value {
		case "", "false":
		case "true":
			attest = append(attest, "type="+flag)
		default:
			attest = append(attest, "type="+flag+","+value)
		}
	}
	for _, text := range attest {
		attrs, err := parseAttrs("--attest", text)
		if err != nil {
			return nil, err
		}
		kind := attrs["type"]
		if kind != "provenance" && kind != "sbom" {
			return nil, &DefinitionError{Message: fmt.Sprintf("--attest %q: there is no attestation of type %q", text, kind), Hint: "types are provenance and sbom"}
		}
		delete(attrs, "type")
		if attrs["disabled"] == "true" {
			continue
		}
		var parts []string
		for k, v := range attrs {
			parts = append(parts, k+"="+v)
		}
		slices.Sort(parts)
		out[kind] = strings.Join(parts, ",")
	}
	return out, nil
}
