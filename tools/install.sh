#!/usr/bin/env bash
# usage: install.sh helm|registry|kubesec|staticcheck|govulncheck
#        install.sh buildkitd|buildctl|rootlesskit
#        install.sh kube-apiserver|kube-controller-manager|kube-scheduler|kubelet|kubectl
#        install.sh containerd|containerd-shim-runc-v2|ctr|bridge|loopback|host-local|etcd
#        install.sh runc    which wants a C compiler, pkg-config and libseccomp
# Builds one of the programs that go.mod here or below pins, unless that was done
# before, and prints its path. They are kept outside of the tree, in a folder
# named after everything that goes into them; those of one module share a folder.
set -euo pipefail
cd "$(dirname "$0")"

# The newest Kubernetes that chartgate knows: a helm that is not stamped
# believes in 1.20, and judges charts by that.
kubernetes_major=1 kubernetes_minor=37
helm_ldflags=
for package in chartutil lint/rules; do
  helm_ldflags+=" -X helm.sh/helm/v3/pkg/$package.k8sVersionMajor=$kubernetes_major"
  helm_ldflags+=" -X helm.sh/helm/v3/pkg/$package.k8sVersionMinor=$kubernetes_minor"
done
# required MODULE GO.MOD: prints the version that is required there.
required() { sed -nE "s#^(require |\t)$1 ##p" "$2"; }
# What else has to be told its own version: the parts of a cluster compare theirs.
kubernetes_ldflags=" -X k8s.io/component-base/version.gitVersion=$(required k8s.io/kubernetes kubernetes/go.mod)"
buildkit_ldflags=" -X github.com/moby/buildkit/version.Version=$(required github.com/moby/buildkit buildkit/go.mod)"
# Snapshotters that nothing here uses, and that want libraries in C.
containerd_tags=no_btrfs,no_devmapper,no_zfs

# The large ones are built without -trimpath, as whoever builds them by hand does: that
# takes minutes, and Go's build cache tells the two apart.
module=. ldflags='' tags='' trimpath=false cgo=0
case "${1:-}" in
  helm) trimpath=true package=helm.sh/helm/v3/cmd/helm ldflags=$helm_ldflags ;;
  ct) module=chart-testing trimpath=true package=github.com/helm/chart-testing/v3/ct ;;
  registry) trimpath=true package=github.com/distribution/distribution/v3/cmd/registry ;;
  kubesec) trimpath=true package=github.com/controlplaneio/kubesec/v2 ;;
  staticcheck) trimpath=true package=honnef.co/go/tools/cmd/staticcheck ;;
  govulncheck) trimpath=true package=golang.org/x/vuln/cmd/govulncheck ;;
  buildkitd | buildctl) module=buildkit package=github.com/moby/buildkit/cmd/$1 ldflags=$buildkit_ldflags ;;
  rootlesskit) module=buildkit package=github.com/rootless-containers/rootlesskit/v2/cmd/rootlesskit ;;
  kube-apiserver | kube-controller-manager | kube-scheduler | kubelet | kubectl)
    module=kubernetes package=k8s.io/kubernetes/cmd/$1 ldflags=$kubernetes_ldflags ;;
  containerd | containerd-shim-runc-v2 | ctr)
    module=kubernetes/node package=github.com/containerd/containerd/v2/cmd/$1 tags=$containerd_tags ;;
  bridge | loopback) module=kubernetes/node package=github.com/containernetworking/plugins/plugins/main/$1 ;;
  host-local) module=kubernetes/node package=github.com/containernetworking/plugins/plugins/ipam/$1 ;;
  runc) cgo=1 tags=seccomp module=kubernetes/node package=github.com/opencontainers/runc ;;
  etcd) module=kubernetes/node package=go.etcd.io/etcd/server/v3 ;;
  *) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
esac

cd "$module"
go=${GO:-go}
key=$(cat go.mod go.sum <(echo "$helm_ldflags $containerd_tags") <("$go" env GOVERSION GOOS GOARCH) | git hash-object --stdin)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/chartgate-tools/$("$go" env GOVERSION)-${key:0:12}/bin
if [ ! -x "$folder/$1" ]; then
  echo "building $1 from $package" >&2
  mkdir -p "$folder"
  partial=$(mktemp "$folder/.$1.XXXXXX")
  trap 'rm -f "$partial"' EXIT
  CGO_ENABLED=$cgo "$go" build -trimpath="$trimpath" -tags "$tags" -ldflags "-s -w$ldflags" -o "$partial" "$package"
  chmod 755 "$partial"
  mv "$partial" "$folder/$1" # at once: another make may be looking
fi
echo "$folder/$1"
