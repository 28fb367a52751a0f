#!/usr/bin/env bash
# Runs the tests with the build tag e2e: chartgate's binary beside the programs
# that it stands in for or works with. What cannot be had here is named, and the
# tests that want it skip and say so. PKGS narrows down what is run.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

say() { echo "make e2e: $*" >&2; }

# build_tool NAME: prints the path of a pinned program, nothing when it cannot be built.
build_tool() {
  tools/install.sh "$1" || say "SKIPPED what needs $1, which could not be built"
}

# debian_package PROGRAM [PACKAGE]: installs the package of a program that is missing, when this is a Debian of ours.
debian_package() {
  command -v "$1" >/dev/null && return
  local package=${2:-$1}
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "SKIPPED what needs $1, which is not installed (apt-get install $package)"
    return
  fi
  say "installing $package"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y "$package"; } >/dev/null ||
    say "SKIPPED what needs $1: apt-get could not install $package"
}

HELM=$(build_tool helm)
REGISTRY=$(build_tool registry)
KUBESEC=$(build_tool kubesec)
CHARTGATE=$PWD/bin/chartgate
export HELM REGISTRY KUBESEC CHARTGATE
# What rootless builds run is run by an ordinary user, who may not reach this user's cache.
shared=$(mktemp -d)
trap 'rm -rf "$shared"' EXIT
chmod 755 "$shared"
for tool in buildkitd buildctl rootlesskit; do
  path=$(build_tool "$tool")
  [ -z "$path" ] || cp "$path" "$shared"
done
cp "$CHARTGATE" "$shared"
CHARTGATE=$shared/chartgate
# For tests that look on the PATH.
export PATH=${HELM:+$(dirname "$HELM"):}$shared:$PATH:/usr/sbin
debian_package yamllint
debian_package pre-commit
debian_package newuidmap uidmap
debian_package runc
debian_package busybox busybox-static
debian_package sshd openssh-server
debian_package setcap libcap2-bin
# Rootless builds run as an ordinary user.
tools/rootless-user.sh >/dev/null || say "SKIPPED rootless builds: there is no ordinary user for them"

# Only the packages that have such tests: `make test` ran the others.
if [ -z "${PKGS:-}" ]; then
  PKGS=$(grep -rlxE '//go:build (linux && )?e2e( && linux)?' --include='*_test.go' cmd internal test | xargs -n1 dirname | sort -u | sed 's#^#./#')
fi
# -v prints why a test skipped, and the figures that tests log; the rest of it is noise.
# shellcheck disable=SC2086
"$go" test -tags e2e -count=1 -timeout 25m -v "$@" $PKGS | grep -vE '^(=== |PASS$)|^ *--- PASS'
