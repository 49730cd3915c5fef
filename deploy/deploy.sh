#!/usr/bin/env bash
# make deploy V=1.2.3: builds and pushes a version, and replaces the one that runs.
. "$(dirname "$0")/common.sh"
require_version
require_env
lock

deploy/build.sh
[ -z "$REGISTRY" ] || deploy/push.sh
name_image "$(image_of "$V")"
exec deploy/run.sh
