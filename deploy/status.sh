#!/usr/bin/env bash
# make status: what runs, and whether each replica serves.
. "$(dirname "$0")/common.sh"
require_env
compose ps
say "docker-compose.yml names $(named_image)."
for replica in $(replicas); do say "$replica: $(probe "$replica")"; done
