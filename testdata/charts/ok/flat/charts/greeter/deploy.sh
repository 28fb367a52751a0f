#!/usr/bin/env bash
# usage: deploy.sh ORG
set -euo pipefail
cd "$(dirname "$0")"
helm upgrade --install greeter . --values "orgs/${1:?which organisation?}/values.yaml"
