#!/usr/bin/env bash
# make stop: stops everything and keeps the data. Live matches may finish first, for DRAIN_SECONDS.
. "$(dirname "$0")/common.sh"
require_env
lock
stop_rally
compose "${every_profile[@]}" stop
