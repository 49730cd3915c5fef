#!/usr/bin/env bash
# make logs: follows the logs. S=app-1 follows one service.
. "$(dirname "$0")/common.sh"
require_env
compose "${every_profile[@]}" logs -f --tail 200 ${S:+"$S"}
