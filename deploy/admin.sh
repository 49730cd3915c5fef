#!/usr/bin/env bash
# make admin USER=ada: makes that user an administrator.
. "$(dirname "$0")/common.sh"
require_env
[ -n "${ADMIN_NAME:-}" ] || die 'USER is missing: make admin USER=ada'
for replica in $(replicas); do
  id=$(running "$replica")
  [ -z "$id" ] || exec docker exec "$id" node dist/commands/grant-admin.js "$ADMIN_NAME"
done
die 'Rally does not run: make run'
