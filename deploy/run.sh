#!/usr/bin/env bash
# make run: starts the version that docker-compose.yml names. Replicas are replaced one by one, each ready before the next is
# taken. If one does not become ready, or this command is interrupted, all go back to the image that ran before.
. "$(dirname "$0")/common.sh"

# From the start of a replica until it serves: migrations are part of that.
READY_SECONDS=${READY_SECONDS:-120}
# Until Caddy sends to a replica that is ready: health_interval and fail_duration of the Caddyfile.
SEEN_SECONDS=3

lock
# The programs in the containers read them as other users, whatever umask this clone was made with.
readable='chmod -R go+rX deploy/Caddyfile deploy/prometheus deploy/grafana'
$readable
[ -f .env ] || deploy/env.sh
# Caddy takes a path for a part of the address.
[[ $(setting PUBLIC_URL) =~ ^(https?://[^/]+)?$ ]] || die 'PUBLIC_URL in .env has to be like https://rally.example.com, without a slash at its end.'
names=$(replicas)
read -ra replicas <<<"$names"
if [ "${#replicas[@]}" -gt 1 ] && [[ $(setting PUBLIC_URL) = https://*:* ]]; then
  die 'PUBLIC_URL in .env has a port. Caddy serves https on port 443.'
fi
wanted=$(named_image)
version=${wanted##*:}

# The last replica is the last that a deploy replaces, so its image did become ready.
former='' former_id=''
running=$(container "${replicas[${#replicas[@]} - 1]}")
if [ -n "$running" ]; then
  former=$(docker inspect -f '{{.Config.Image}}' "$running")
  former_id=$(docker inspect -f '{{.Image}}' "$running")
fi

# Whatever is missing is found before anything changes.
services='postgres'
[ "${#replicas[@]}" = 1 ] || services+=' redis caddy'
case ,${COMPOSE_PROFILES-$(setting COMPOSE_PROFILES)}, in *,watch,*) services+=' prometheus grafana' ;; esac
for service in $services; do
  image=$(sed -n "/^  $service:/,/image:/ s/^    image: //p" docker-compose.yml)
  docker image inspect "$image" >/dev/null 2>&1 || docker pull "$image" || {
    [ -z "$former" ] || name_image "$former"
    die "Docker cannot get the image $image. Nothing was changed."
  }
done

is_ready() { [ "$(probe "$1")" = "ready $version" ]; }

go_back() {
  trap '' INT TERM HUP
  set +e
  local why=$1 lost=''
  if [ -z "$former_id" ] || [ "$former_id" = "$(docker image inspect -f '{{.Id}}' "$wanted" 2>/dev/null)" ]; then
    die "$why There is no other version to go back to: mend .env or the image, and repeat this."
  fi
  say "$why Going back to $former."
  # The name may be that of the image that failed.
  docker tag "$former_id" "$former"
  name_image "$former"
  version=${former##*:}
  for replica in "${replicas[@]}"; do
    compose up -d --no-deps "$replica"
    wait_until "$READY_SECONDS" is_ready "$replica" || lost+=" $replica"
  done
  [ -z "$lost" ] || die "Rolled back to $former, but these do not become ready either:$lost. See make logs."
  die "Rolled back: $former runs again, $wanted does not."
}

trap 'go_back "Interrupted."' INT TERM HUP
if ! docker image inspect "$wanted" >/dev/null 2>&1; then
  # A name without a registry would be looked for at Docker's own.
  [[ $wanted = */* ]] && docker pull "$wanted" || go_back "There is no image $wanted: make build V=$version."
fi
if [ -n "${DEPLOY_HOST:-}" ]; then
  # COPYFILE_DISABLE: macOS adds files of its own.
  CONFIG_DIR=$(COPYFILE_DISABLE=1 tar -cf - deploy |
    ssh "ssh://$DEPLOY_HOST" "mkdir -p rally && cd rally && tar -xf - && $readable && cd deploy && pwd")
  export CONFIG_DIR
fi
start_database
if [ "${#replicas[@]}" -gt 1 ]; then compose up -d redis; fi
for replica in "${replicas[@]}"; do
  before=$(container "$replica")
  compose up -d --no-deps "$replica" || go_back "$replica cannot be started."
  if ! wait_until "$READY_SECONDS" is_ready "$replica"; then
    docker logs --tail 20 "$(container "$replica")" 2>&1 || true
    go_back "$replica does not become ready with $wanted within $READY_SECONDS s."
  fi
  say "$replica: ready with $version"
  [ -z "$(container caddy)" ] || [ "$before" = "$(container "$replica")" ] || sleep "$SEEN_SECONDS"
done
trap - INT TERM HUP

compose up -d
if [ "${#replicas[@]}" -gt 1 ]; then
  wait_until 60 is_healthy caddy || die 'Caddy does not become healthy: make logs S=caddy'
  # Without a change of the file this does nothing.
  docker exec -i "$(container caddy)" caddy reload --config - --adapter caddyfile <deploy/Caddyfile 2>/dev/null ||
    die 'Caddy refuses deploy/Caddyfile and keeps the one that it has.'
fi
url=$(setting PUBLIC_URL) port=$(setting PORT)
say "Rally $version runs at ${url:-http://localhost:${port:-3001}}."
