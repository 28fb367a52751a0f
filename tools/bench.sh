#!/usr/bin/env bash
# Times chartgate beside the programs that it stands in for. Arguments go to the
# benchmark: see test/bench. CORPUS names a folder of charts to use instead of generated ones.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/bin:$PATH
for tool in helm kubesec ct; do
  path=$(tools/install.sh "$tool") && PATH=$(dirname "$path"):$PATH
done
for program in yamllint git; do
  command -v "$program" >/dev/null || echo "make bench: SKIPPED what needs $program, which is not installed" >&2
done
program=$(mktemp)
trap 'rm -f "$program"' EXIT
"${GO:-go}" build -o "$program" ./test/bench
"$program" ${CORPUS:+-corpus "$CORPUS"} "$@"
