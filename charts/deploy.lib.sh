# shellcheck shell=bash
# What the charts' deploy.sh scripts share: arguments, secrets that are made once, and the release itself. Sourced, never run.
#
# A deploy.sh sets, before it sources this,
#   here       its own folder
#   chart      the chart's name, which is the folder's as well
#   summary    one line for the usage text
#   extra_env  lines of the usage text about environment variables (optional)
# then defines a function `secrets`, which calls keep_secret, make_secret and supply_secret for what the chart expects to
# find, and ends with
#   deploy "$@"
# Secrets are made here and not in templates: a template that draws random values gives another manifest at every rendering,
# and one slip in a values file would replace a key that encrypted data depends on.

: "${here:?}" "${chart:?}" "${summary:?}"
org="" release="" namespace="" context="" reference="" version="" timeout="10m" scratch=""
dry_run=false new_keys=false
helm_args=()

usage() {
  cat <<USAGE
usage: deploy.sh ORG [options] [-- HELM-ARGUMENTS]

$summary

Installs or upgrades the chart with orgs/ORG/values.yaml. Secrets that the chart needs are created when they are
missing and never changed afterwards.

  -n, --namespace NS     namespace (default: ORG); created when missing
  -r, --release NAME     release name (default: $chart)
      --context NAME     context of the kubeconfig (default: the current one)
      --chart REF        a published chart, such as oci://registry.example.org/charts/$chart (default: ./Chart)
      --version VERSION  version of the published chart; required with --chart
      --timeout DURATION how long to wait for the release to be ready (default: $timeout)
      --dry-run          print what would be done, and the manifests; touches no cluster
      --new-keys         create missing keys although data of the release exists: what the old keys encrypted is lost
  -h, --help             this text

Environment:
  HELM, KUBECTL          the programs to run (default: helm, kubectl)
${extra_env:-}
USAGE
}

say() { printf '%s\n' "$*" >&2; }
die() { say "deploy.sh: $*"; exit 1; }
bad_usage() { say "deploy.sh: $*"; say "Run deploy.sh --help for help."; exit 2; }

kube() {
  local flags=(--namespace "$namespace")
  [[ -z $context ]] || flags+=(--context "$context")
  "${KUBECTL:-kubectl}" "${flags[@]}" "$@"
}

parse_arguments() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --dry-run) dry_run=true ;;
      --new-keys) new_keys=true ;;
      -n | --namespace | -r | --release | --context | --chart | --version | --timeout)
        (($# >= 2)) || bad_usage "$1 needs a value"
        set_option "$1" "$2"
        shift
        ;;
      --) shift; helm_args=("$@"); break ;;
      -*) bad_usage "unknown option $1" ;;
      *) [[ -z $org ]] || bad_usage "more than one organisation: $org, $1"; org=$1 ;;
    esac
    shift
  done
  [[ -n $org ]] || bad_usage "which organisation? There are: $(organisations)"
}

set_option() {
  case $1 in
    -n | --namespace) namespace=$2 ;;
    -r | --release) release=$2 ;;
    --context) context=$2 ;;
    --chart) reference=$2 ;;
    --version) version=$2 ;;
    --timeout) timeout=$2 ;;
  esac
}

organisations() {
  local file names=()
  for file in "$here"/orgs/*/values.yaml; do
    [[ -e $file ]] && names+=("$(basename -- "$(dirname -- "$file")")")
  done
  printf '%s' "${names[*]:-none}"
}

check_arguments() {
  local label='^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'
  # The name becomes a path and a namespace: a DNS label is the only form that is safe as both.
  [[ $org =~ $label ]] || bad_usage "organisation \"$org\" is not of the form a-z, 0-9 and -"
  [[ -f $here/orgs/$org/values.yaml ]] || bad_usage "no orgs/$org/values.yaml; there are: $(organisations)"
  release=${release:-$chart} namespace=${namespace:-$org}
  [[ $release =~ $label && ${#release} -le 40 ]] || bad_usage "release \"$release\" is not of the form a-z, 0-9 and -, 40 at most"
  [[ $namespace =~ $label ]] || bad_usage "namespace \"$namespace\" is not of the form a-z, 0-9 and -"
  if [[ -n $reference ]]; then
    [[ -n $version ]] || bad_usage "--chart needs --version: what is deployed has to be the same tomorrow"
  elif [[ -n $version ]]; then
    bad_usage "--version goes with --chart; the version of ./Chart is in its Chart.yaml"
  fi
}

# resolve_chart sets $reference to the chart in this folder with its dependencies. They are fetched into a copy, so that the
# working tree stays as it was committed.
resolve_chart() {
  [[ -z $reference ]] || return 0
  if [[ -d $here/Chart/charts ]]; then
    reference=$here/Chart
    return 0
  fi
  scratch=$(mktemp -d)
  trap 'rm -rf -- "$scratch"' EXIT
  cp -R -- "$here/Chart" "$scratch/$chart"
  say "Fetching the dependencies that Chart.lock names"
  "${HELM:-helm}" dependency build "$scratch/$chart" >&2
  reference=$scratch/$chart
}

ensure_namespace() {
  local found
  found=$(kube get namespace "$namespace" --ignore-not-found --output name)
  [[ -z $found ]] || return 0
  say "Creating namespace $namespace"
  # Every pod of ours meets the restricted Pod Security Standard; a namespace of ours demands it.
  kube create --filename - >&2 <<MANIFEST
apiVersion: v1
kind: Namespace
metadata:
  name: $namespace
  labels:
    pod-security.kubernetes.io/enforce: restricted
MANIFEST
}

# has_data says whether volumes of the release exist: its data outlives `helm uninstall`, and needs the keys that it was
# written with.
has_data() {
  local volumes
  volumes=$(kube get persistentvolumeclaims --selector "app.kubernetes.io/instance=$release" --ignore-not-found --output name) ||
    die "cannot tell whether release $release has volumes"
  [[ -n $volumes ]]
}

# random_hex prints 64 hexadecimal digits, 256 bits. No character of it needs quoting in YAML, a URL or a connection string.
random_hex() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }

# write_secret NAME IMMUTABLE VERB < "KEY VALUE" lines. Values go through standard input: arguments show in the process list.
write_secret() {
  local name=$1 immutable=$2 verb=$3 key value
  {
    printf 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  labels:\n' "$name"
    printf '    app.kubernetes.io/instance: %s\n    app.kubernetes.io/managed-by: deploy.sh\n' "$release"
    printf 'type: Opaque\nimmutable: %s\ndata:\n' "$immutable"
    while read -r key value; do
      printf '  %s: %s\n' "$key" "$(printf '%s' "$value" | base64 | tr -d '\n')"
    done
  } | kube "$verb" --filename - >&2
}

# make_secret NAME KEY... creates the Secret with a random value for each key, unless it exists. An existing one is checked for
# the keys and otherwise left alone, however old.
make_secret() {
  local name=$1 key value pairs=""
  shift
  if $dry_run; then
    say "Would create Secret $namespace/$name with random values for: $* (unless it exists)"
  elif secret_exists "$name"; then
    require_keys "$name" "$@"
    say "Keeping Secret $name"
  else
    say "Creating Secret $name"
    for key in "$@"; do
      value=$(random_hex)
      [[ ${#value} -eq 64 ]] || die "cannot read /dev/urandom"
      pairs+="$key $value"$'\n'
    done
    # Immutable: no later command replaces a value by mistake. Between looking and creating, somebody else may have been
    # faster: then `create` fails, and nothing is overwritten.
    printf '%s' "$pairs" | write_secret "$name" true create
  fi
}

# keep_secret NAME KEY... is make_secret for what data was written with: where that data exists and the Secret does not, a new
# key would lock the data away, so it refuses.
keep_secret() {
  local name=$1
  if ! $dry_run && ! $new_keys && ! secret_exists "$name" && has_data; then
    die "Secret $namespace/$name is missing, yet volumes of release $release exist, which were written with it." \
      "Restore it from its backup. If that data is of no use any more: --new-keys"
  fi
  make_secret "$@"
}

secret_exists() {
  local found
  # Not in a condition of its own: an unreachable cluster has to end the script, not look like a missing Secret.
  found=$(kube get secret "$1" --ignore-not-found --output name) || die "cannot tell whether Secret $namespace/$1 exists"
  [[ -n $found ]]
}

require_keys() {
  local name=$1 key found
  shift
  for key in "$@"; do
    found=$(kube get secret "$name" --output "go-template={{if index .data \"$key\"}}yes{{end}}")
    [[ $found == yes ]] || die "Secret $namespace/$name exists, but has no key $key; add it, or restore the Secret from its backup"
  done
}

# supply_secret NAME KEY VARIABLE writes the environment variable's value into the Secret, where the variable is set. For what
# others issue, and what expires.
supply_secret() {
  local name=$1 key=$2 variable=$3
  [[ -n ${!variable:-} ]] || return 0
  if $dry_run; then
    say "Would write Secret $namespace/$name with $key from \$$variable"
    return 0
  fi
  say "Writing Secret $name from \$$variable"
  printf '%s %s\n' "$key" "${!variable}" | write_secret "$name" false apply
}

run_helm() {
  local flags=(--namespace "$namespace" --values "$here/orgs/$org/values.yaml")
  [[ -z $version ]] || flags+=(--version "$version")
  if $dry_run; then
    say "Would run: helm upgrade --install $release $reference ${flags[*]} ${helm_args[*]:-}"
    "${HELM:-helm}" template "$release" "$reference" "${flags[@]}" "${helm_args[@]}"
    return
  fi
  [[ -z $context ]] || flags+=(--kube-context "$context")
  "${HELM:-helm}" upgrade --install "$release" "$reference" "${flags[@]}" \
    --history-max 10 --wait --timeout "$timeout" "${helm_args[@]}"
}

deploy() {
  parse_arguments "$@"
  check_arguments
  resolve_chart
  $dry_run || ensure_namespace
  secrets
  run_helm
}
