#!/usr/bin/env bash
# Deploys Metabase for one organisation; see --help, and README.md beside this file.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
chart=metabase
summary="Metabase: questions and dashboards over databases, with its PostgreSQL."
# shellcheck source-path=SCRIPTDIR source=../deploy.lib.sh
source "$here/../deploy.lib.sh"

# secrets names what the chart expects to find in the namespace before the release.
secrets() {
  # Metabase encrypts the connections to data sources with this key. Another key makes them unreadable, for good.
  keep_secret "$release-encryption-key" MB_ENCRYPTION_SECRET_KEY
  keep_secret "$release-postgresql-auth" password
}

deploy "$@"
