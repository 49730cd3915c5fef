#!/usr/bin/env bash
# make rebuild: builds the version of docker-compose.yml without the cache, and replaces what runs.
. "$(dirname "$0")/common.sh"
V=${V:-$(named_image)} V=${V##*:} NO_CACHE=1
export V NO_CACHE
exec deploy/deploy.sh
