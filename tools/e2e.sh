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

# debian_package NAME: installs a package when its program is missing and this is a Debian of ours.
debian_package() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "SKIPPED what needs $1, which is not installed (apt-get install $1)"
    return
  fi
  say "installing $1"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y "$1"; } >/dev/null ||
    say "SKIPPED what needs $1: apt-get could not install it"
}

HELM=$(build_tool helm)
REGISTRY=$(build_tool registry)
KUBESEC=$(build_tool kubesec)
CHARTGATE=$PWD/bin/chartgate
export HELM REGISTRY KUBESEC CHARTGATE
# For tests that look on the PATH; all three are in one folder.
export PATH=${HELM:+$(dirname "$HELM"):}$PATH
debian_package yamllint
debian_package pre-commit

# Only the packages that have such tests: `make test` ran the others.
if [ -z "${PKGS:-}" ]; then
  PKGS=$(grep -rlx '//go:build e2e' --include='*_test.go' cmd internal test | xargs -n1 dirname | sort -u | sed 's#^#./#')
fi
# -v prints why a test skipped, and the figures that tests log; the rest of it is noise.
# shellcheck disable=SC2086
"$go" test -tags e2e -count=1 -timeout 25m -v $PKGS | grep -vE '^(=== |PASS$)|^ *--- PASS'
