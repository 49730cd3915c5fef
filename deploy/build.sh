#!/usr/bin/env bash
# make build V=1.2.3: builds the image. NODE= and UWS= are described in the Dockerfile.
. "$(dirname "$0")/common.sh"
require_version
lock

# An image that is pushed does not have to be built on the server.
[ -z "$REGISTRY" ] || unset DOCKER_CONTEXT
docker build ${NO_CACHE:+--no-cache} --build-arg "VERSION=$V" ${NODE:+--build-arg "NODE=$NODE"} ${UWS:+--build-arg "UWS=$UWS"} \
  -t "$(image_of "$V")" .
say "Built $(image_of "$V")."
# It looks where the image was built.
DEPLOY_HOST=${DOCKER_CONTEXT:+$DEPLOY_HOST} deploy/check-image.sh "$(image_of "$V")" "$V"
