#!/usr/bin/env bash
# make push V=1.2.3 REGISTRY=registry.example.com: pushes the image.
. "$(dirname "$0")/common.sh"
require_version
[ -n "$REGISTRY" ] || die 'REGISTRY is missing: make push V=1.2.3 REGISTRY=registry.example.com'

unset DOCKER_CONTEXT
docker push --quiet "$(image_of "$V")"
