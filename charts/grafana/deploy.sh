#!/usr/bin/env bash
# Deploys Grafana for one organisation; see --help, and README.md beside this file.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
chart=grafana
summary="Grafana: dashboards over Loki, Mimir and Tempo, with its PostgreSQL, and Redis for several servers."
# shellcheck source-path=SCRIPTDIR source=../deploy.lib.sh
source "$here/../deploy.lib.sh"

# secrets names what the chart expects to find in the namespace before the release.
secrets() {
  # Grafana encrypts what data sources and contact points keep secret with this key. Another key makes it unreadable.
  keep_secret "$release-secret-key" secret-key
  keep_secret "$release-postgresql-auth" password
  # These two protect no data: a release that exists may get them later, such as with its first Redis.
  make_secret "$release-admin" admin-password
  make_secret "$release-redis-auth" redis-password
}

deploy "$@"
