package buildkit

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/cmd/buildctl/build"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// frontend is the Dockerfile frontend that is built into the daemon; a syntax line
// in the Dockerfile brings another.
const frontend = "dockerfile.v0"

// request is one image as BuildKit's client wants it.
type request struct {
	opt    client.SolveOpt
	finish []func(ok bool) error // of the outputs
}

// request translates the image. What it reads of the disk is checked here: a context
// or Dockerfile that is not there is a *DefinitionError.
func (r *Run) request(i *Image) (*request, error) {
	req := &request{opt: client.SolveOpt{
		Frontend:      frontend,
		FrontendAttrs: r.frontendAttrs(i),
		LocalMounts:   map[string]fsutil.FS{},
		SharedKey:     r.Key + "/" + i.Name,
	}}
	if err := r.addContexts(i, req); err != nil {
		return nil, err
	}
	for _, c := range i.CacheFrom {
		req.opt.CacheImports = append(req.opt.CacheImports, r.cacheEntry(c))
	}
	for _, c := range i.CacheTo {
		req.opt.CacheExports = append(req.opt.CacheExports, r.cacheEntry(c))
	}
	if err := r.addSession(i, req); err != nil {
		return nil, err
	}
	req.opt.AllowedEntitlements = append(req.opt.AllowedEntitlements, i.Allow...)
	return req, r.addOutputs(i, req)
}

func (r *Run) frontendAttrs(i *Image) map[string]string {
	attrs := map[string]string{}
	set := func(prefix string, m map[string]string) {
		for k, v := range m {
			attrs[prefix+k] = v
		}
	}
	if r.Epoch != nil {
		attrs["build-arg:SOURCE_DATE_EPOCH"] = strconv.FormatInt(r.Epoch.Unix(), 10)
	}
	if r.Key != "" { // so that RUN --mount=type=cache is shared within a project and not beyond
		attrs["build-arg:BUILDKIT_CACHE_MOUNT_NS"] = r.Key
	}
	set("build-arg:", i.Args)
	set("label:", i.Labels)
	set("attest:", i.Attest)
	if i.Target != "" {
		attrs["target"] = i.Target
	}
	if len(i.Platforms) > 0 {
		attrs["platform"] = strings.Join(i.Platforms, ",")
	}
	if i.Pull {
		attrs["image-resolve-mode"] = "pull"
	}
	if i.NoCache || len(i.NoCacheOf) > 0 {
		attrs["no-cache"] = strings.Join(i.NoCacheOf, ",")
	}
	if i.Network != "" && i.Network != "default" {
		attrs["force-network-mode"] = i.Network
	}
	if len(i.Hosts) > 0 {
		var hosts []string
		for _, name := range slices.Sorted(maps.Keys(i.Hosts)) {
			hosts = append(hosts, name+"="+i.Hosts[name])
		}
		attrs["add-hosts"] = strings.Join(hosts, ",")
	}
	return attrs
}

// addContexts mounts the folders that the frontend reads.
func (r *Run) addContexts(i *Image, req *request) error {
	fail := func(hint, format string, args ...any) error {
		return &DefinitionError{Image: i.Name, Message: fmt.Sprintf(format, args...), Hint: hint}
	}
	if isURL(i.Context) {
		req.opt.FrontendAttrs["context"] = i.Context
		if i.Dockerfile != "" {
			req.opt.FrontendAttrs["filename"] = i.Dockerfile
		}
	} else {
		if info, err := os.Stat(i.Context); err != nil || !info.IsDir() {
			return fail("context: names the folder that COPY reads from", "its context %q is no folder", r.show(i.Context))
		}
		if info, err := os.Stat(i.Dockerfile); err != nil || !info.Mode().IsRegular() {
			return fail("dockerfile: names it, relative to the context", "there is no Dockerfile at %q", r.show(i.Dockerfile))
		}
		if err := r.mount(req, "context", i.Context); err != nil {
			return err
		}
		if err := r.mount(req, "dockerfile", filepath.Dir(i.Dockerfile)); err != nil {
			return err
		}
		req.opt.FrontendAttrs["filename"] = filepath.Base(i.Dockerfile)
	}
	for name, value := range i.Contexts {
		key := "context:" + contextName(name)
		if isURL(value) || strings.HasPrefix(value, "docker-image://") {
			req.opt.FrontendAttrs[key] = value
			continue
		}
		if info, err := os.Stat(value); err != nil || !info.IsDir() {
			return fail("", "its context %s, %q, is no folder", name, r.show(value))
		}
		mount := "context-" + name
		if err := r.mount(req, mount, value); err != nil {
			return err
		}
		req.opt.FrontendAttrs[key] = "local:" + mount
	}
	return nil
}

// show spells a path relative to the repository's root where it lies in it.
func (r *Run) show(path string) string {
	if rel, err := filepath.Rel(r.Root, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}

// mount offers a folder to the builder. For the same digests everywhere it has the
// permissions that git keeps, whatever the umask of the machine that cloned it.
func (r *Run) mount(req *request, name, dir string) error {
	tree, err := fsutil.NewFS(dir)
	if err != nil {
		return fmt.Errorf("reading context %q: %w", dir, err)
	}
	if r.Epoch != nil {
		tree, err = fsutil.NewFilterFS(tree, &fsutil.FilterOpt{Map: gitModes})
		if err != nil {
			return fmt.Errorf("reading context %q: %w", dir, err)
		}
	}
	req.opt.LocalMounts[name] = tree
	return nil
}

func gitModes(_ string, stat *fstypes.Stat) fsutil.MapResult {
	mode := os.FileMode(stat.Mode)
	switch {
	case mode.IsDir():
		stat.Mode = uint32(mode&^os.ModePerm | 0o755)
	case mode.IsRegular() && mode&0o100 != 0:
		stat.Mode = uint32(mode&^os.ModePerm | 0o755)
	case mode.IsRegular():
		stat.Mode = uint32(mode&^os.ModePerm | 0o644)
	}
	return fsutil.MapResultKeep
}

func isURL(context string) bool {
	return strings.Contains(context, "://") || strings.HasPrefix(context, "git@")
}

// contextName is the form in which the frontend looks a named context up: that
// of an image's short name, without the tag latest.
func contextName(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	return strings.TrimSuffix(reference.FamiliarString(named), ":latest")
}

func (r *Run) cacheEntry(c Cache) client.CacheOptionsEntry {
	e := c.entry()
	if e.Type == "registry" && r.plainHTTP(e.Attrs["ref"]) && e.Attrs["registry.insecure"] == "" {
		e.Attrs["registry.insecure"] = "true"
	}
	return e
}

func (r *Run) addSession(i *Image, req *request) error {
	req.opt.Session = []session.Attachable{r.credentials()}
	if len(i.Secrets) > 0 {
		values := map[string][]byte{}
		for _, s := range i.Secrets {
			values[s.ID] = s.value
		}
		req.opt.Session = append(req.opt.Session, secretsprovider.FromMap(values))
	}
	if len(i.SSH) == 0 {
		return nil
	}
	agents, err := build.ParseSSH(i.SSH)
	if err == nil {
		var provider session.Attachable
		if provider, err = sshprovider.NewSSHAgentProvider(agents); err == nil {
			req.opt.Session = append(req.opt.Session, provider)
			return nil
		}
	}
	return &DefinitionError{Image: i.Name, Message: fmt.Sprintf("--ssh %s: %v", strings.Join(i.SSH, " "), err),
		Hint: "ID=KEY names a key file or an agent's socket; SSH_AUTH_SOCK is taken without"}
}

func (r *Run) addOutputs(i *Image, req *request) error {
	outputs := i.Outputs
	if len(outputs) == 0 {
		outputs = []Output{{Type: "image"}} // for the digest
	}
	for _, o := range outputs {
		entry, finish := o.export(r.stdout())
		req.finish = append(req.finish, finish)
		if o.Type != "local" && o.Type != "tar" {
			if err := r.imageAttrs(i, o, entry.Attrs); err != nil {
				return err
			}
		}
		req.opt.Exports = append(req.opt.Exports, entry)
	}
	return nil
}

// imageAttrs are the names of an image, and what makes it reproducible and fit for registries.
func (r *Run) imageAttrs(i *Image, o Output, attrs map[string]string) error {
	if attrs["name"] == "" && len(i.Tags) > 0 {
		attrs["name"] = strings.Join(i.Tags, ",")
	}
	if o.pushes() && attrs["name"] == "" {
		return &DefinitionError{Image: i.Name, Message: "it is to be pushed and has no tag",
			Hint: "--tag REFERENCE, tags: of the image or build.repository in chartgate.yaml says where"}
	}
	def := func(k, v string) {
		if attrs[k] == "" {
			attrs[k] = v
		}
	}
	if r.Epoch != nil {
		def("rewrite-timestamp", "true")
	}
	if len(i.Attest) > 0 { // GitLab's registry refuses attestations in the form of OCI artifacts
		def("oci-artifact", "false")
	}
	if o.Type == "image" && slices.ContainsFunc(strings.Split(attrs["name"], ","), r.plainHTTP) {
		def("registry.insecure", "true")
	}
	return nil
}

func (r *Run) plainHTTP(ref string) bool {
	if r.PlainHTTP == nil {
		return false
	}
	named, err := reference.ParseNormalizedNamed(ref)
	return err == nil && r.PlainHTTP(reference.Domain(named))
}

func (r *Run) stdout() io.Writer {
	if r.Stdout == nil {
		return io.Discard
	}
	return r.Stdout
}

// CheckTag says what is wrong with a reference that an image is to be pushed under; nil
// where nothing is.
func CheckTag(ref string) error {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return &DefinitionError{Message: fmt.Sprintf("%q is no image reference: %v", ref, err), Hint: "it is HOST/PATH:TAG in small letters"}
	}
	if _, ok := named.(reference.Digested); ok {
		return &DefinitionError{Message: fmt.Sprintf("%q has a digest, which only the registry gives", ref)}
	}
	if u, err := url.Parse("oci://" + ref); err == nil && u.User != nil {
		return &DefinitionError{Message: "a reference holds a user's name or password", Hint: "credentials come from CI_REGISTRY_*, DOCKER_AUTH_CONFIG or Docker's configuration"}
	}
	return nil
}
