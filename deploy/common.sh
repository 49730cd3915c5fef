# What the scripts of this folder share. They are for `make`, which hands its variables over by the environment.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# confirm <what would happen>: returns only when the answer is yes. YES=1 answers.
confirm() {
  [ "${YES:-}" != 1 ] || return 0
  [ -t 0 ] || die "$1 Nothing was done: repeat it with YES=1."
  local answer
  read -r -p "$1 Type yes to go on: " answer
  [ "$answer" = yes ] || die 'Nothing was done.'
}

# One variable of .env.
setting() { [ ! -f .env ] || sed -n "s/^$1=//p" .env | tail -n 1; }

require_env() { [ -f .env ] || die 'There is no .env here: make env writes one.'; }

# Commands that change what runs exclude one another. File 9 hands the lock over to the commands that they run.
lock() {
  command -v flock >/dev/null || return 0
  [ /dev/fd/9 -ef deploy ] || exec 9<deploy
  flock -n 9 || die 'Another command is changing this installation. Nothing was done.'
}

# --- The image ----------------------------------------------------------------------------------------------------

REGISTRY=${REGISTRY-$(setting REGISTRY)}

require_version() {
  [ -n "${V:-}" ] || die 'V is missing: it has to be a version such as V=1.2.3.'
  [[ $V =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || die "V=$V is no version: it has to be like V=1.2.3."
}

image_of() { printf '%s' "${REGISTRY:+$REGISTRY/}rally:$1"; }
named_image() { sed -n 's/^x-image: &image \([^ ]*\).*/\1/p' docker-compose.yml; }

# name_image <image>: writes it into docker-compose.yml.
name_image() {
  sed "s|^\(x-image: &image \)[^ ]*|\1$1|" docker-compose.yml >docker-compose.yml.new
  mv docker-compose.yml.new docker-compose.yml
}

# --- Docker, here or at HOST ------------------------------------------------------------------------------------------

if [ -n "${DEPLOY_HOST:-}" ]; then
  context=rally-${DEPLOY_HOST//[^A-Za-z0-9_.-]/-}
  docker context inspect "$context" >/dev/null 2>&1 ||
    docker context create "$context" --docker "host=ssh://$DEPLOY_HOST" >/dev/null
  unset DOCKER_HOST
  export DOCKER_CONTEXT=$context
fi

# Compose 1 is a program of its own, which does not know contexts.
case $(docker compose version --short 2>/dev/null) in
'' | 1.*) compose_command=(env ${DEPLOY_HOST:+"DOCKER_HOST=ssh://$DEPLOY_HOST"} docker-compose) ;;
*) compose_command=(docker compose) ;;
esac
compose() { "${compose_command[@]}" "$@"; }
COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-$(setting COMPOSE_PROJECT_NAME)}
export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-rally}

# For commands that end things, whatever .env enables now.
every_profile=(--profile cluster --profile small --profile watch)

# Every service of docker-compose.yml that runs Rally.
rally_services() { sed -n '/^services:/,/^networks:/ s/^  \(app[-0-9]*\):.*/\1/p' docker-compose.yml | xargs; }

# Those of them that the profile in .env names.
replicas() {
  local profiles=${COMPOSE_PROFILES-$(setting COMPOSE_PROFILES)}
  case ,$profiles, in
  *,cluster,*) rally_services | tr ' ' '\n' | grep -- - | xargs ;;
  *,small,*) echo app ;;
  *) die "COMPOSE_PROFILES in .env is \"$profiles\". It has to name cluster or small." ;;
  esac
}

# container <service> [filters of `docker ps`]: its id, also when it has stopped.
container() {
  local service=$1
  shift
  docker ps -aq --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" "$@" \
    --filter "label=com.docker.compose.service=$service" --filter label=com.docker.compose.oneoff=False | head -n 1
}

# running <service>: its id when it runs.
running() { container "$1" --filter status=running; }

# probe <service>: prints its state and version, such as `ready 1.2.3`.
probe() {
  local id
  id=$(running "$1")
  [ -n "$id" ] && docker exec -i "$id" node --input-type=module - <deploy/probe.mjs 2>/dev/null || echo 'not running'
}

# wait_until <seconds> <command...>: whether the command succeeds in that time.
wait_until() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.5
  done
}

is_healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$(container "$1")" 2>/dev/null)" = healthy ]; }

# Sockets that play a live match stay while no other node can take them, so all stop together and Caddy after them.
stop_rally() {
  local services
  read -ra services <<<"$(rally_services)"
  compose "${every_profile[@]}" stop "${services[@]}"
}

start_database() {
  compose up -d postgres
  wait_until 90 is_healthy postgres || die 'Postgres does not become healthy: make logs S=postgres'
}
