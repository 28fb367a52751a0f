#!/usr/bin/env bash
# Deploys n8n for one organisation; see --help, and README.md beside this file.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
chart=n8n
summary="n8n: workflow automation, with its PostgreSQL."
extra_env="  TS_AUTHKEY             a Tailscale auth key, written into the Secret that the sidecar reads"
# shellcheck source-path=SCRIPTDIR source=../deploy.lib.sh
source "$here/../deploy.lib.sh"

# secrets names what the chart expects to find in the namespace before the release.
secrets() {
  # n8n encrypts the credentials of every workflow with this key. Another key makes them unreadable, for good.
  keep_secret "$release-encryption-key" N8N_ENCRYPTION_KEY
  keep_secret "$release-postgresql-auth" password
  supply_secret "$release-tailscale" TS_AUTHKEY TS_AUTHKEY
}

deploy "$@"
