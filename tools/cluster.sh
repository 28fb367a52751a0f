#!/usr/bin/env bash
# usage: cluster.sh [GO TEST FLAG…]
# Runs the tests with the build tag e2e_kubernetes, which bring up a real Kubernetes
# of one node in namespaces of their own and drive it. They need root. PKGS narrows
# down what is run; KEEP=1 leaves the cluster's folder, with its logs, behind.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

say() { echo "make e2e-kubernetes: $*" >&2; }

if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ]; then
  say "SKIPPED: only root on Linux may bring up a Kubernetes node"
  exit 0
fi

# The parts that Debian has: program and package.
missing=()
while read -r program package; do
  command -v "$program" >/dev/null || missing+=("$package")
done <<'PACKAGES'
ip iproute2
runc runc
newuidmap uidmap
busybox busybox-static
PACKAGES
if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    say "SKIPPED: please install ${missing[*]}"
    exit 0
  fi
  say "installing ${missing[*]}"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y "${missing[@]}"; } >/dev/null
fi

# And those that are built, a quarter of an hour the first time.
for program in kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl \
  etcd containerd containerd-shim-runc-v2 ctr bridge loopback host-local \
  buildkitd buildctl rootlesskit; do
  path=$(tools/install.sh "$program")
  case ":$PATH:" in *":${path%/*}:"*) ;; *) PATH=${path%/*}:$PATH ;; esac
done
# A runc before 1.2 gives pods no user namespaces. A newer one, in the folder of containerd, is built
# where there is what that takes.
if command -v apt-get >/dev/null && ! pkg-config --exists libseccomp 2>/dev/null; then
  say "installing libseccomp-dev"
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y gcc libc6-dev pkg-config libseccomp-dev >/dev/null || true
fi
tools/install.sh runc >/dev/null || say "using this machine's $(runc --version | head -1): tests of user namespaces say what they see"
export PATH

if [ -z "${PKGS:-}" ]; then
  PKGS=$(grep -rlE '^//go:build e2e_kubernetes' --include='*_test.go' cmd internal test | xargs -n1 dirname | sort -u | sed 's#^#./#')
fi
# One package after the other: each has a cluster of its own. -v prints why a test skipped, and the figures
# that tests log; the rest of it is noise.
# shellcheck disable=SC2086
"$go" test -tags e2e_kubernetes -count=1 -p 1 -timeout 25m -v "$@" $PKGS | grep -vE '^(=== |PASS$)|^ *--- PASS'
