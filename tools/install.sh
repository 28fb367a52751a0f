#!/usr/bin/env bash
# usage: install.sh helm|registry|kubesec|staticcheck|govulncheck
# Builds one of the programs that tools/go.mod pins, unless that was done
# before, and prints its path. They are kept outside of the tree, in a folder
# named after everything that goes into them.
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

ldflags=
case "${1:-}" in
  helm) package=helm.sh/helm/v3/cmd/helm ldflags=$helm_ldflags ;;
  registry) package=github.com/distribution/distribution/v3/cmd/registry ;;
  kubesec) package=github.com/controlplaneio/kubesec/v2 ;;
  staticcheck) package=honnef.co/go/tools/cmd/staticcheck ;;
  govulncheck) package=golang.org/x/vuln/cmd/govulncheck ;;
  *) sed -n 2p "$0" >&2; exit 2 ;;
esac

go=${GO:-go}
key=$(cat go.mod go.sum install.sh <("$go" env GOVERSION GOOS GOARCH) | git hash-object --stdin)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/chartgate-tools/$("$go" env GOVERSION)-${key:0:12}/bin
if [ ! -x "$folder/$1" ]; then
  echo "building $1 from $package" >&2
  mkdir -p "$folder"
  partial=$(mktemp "$folder/.$1.XXXXXX")
  trap 'rm -f "$partial"' EXIT
  CGO_ENABLED=0 "$go" build -trimpath -ldflags "-s -w$ldflags" -o "$partial" "$package"
  chmod 755 "$partial"
  mv "$partial" "$folder/$1" # at once: another make may be looking
fi
echo "$folder/$1"
