#!/usr/bin/env bash
# make backup: writes the database to backups/, while Rally runs. BACKUP_DIR names another folder.
. "$(dirname "$0")/common.sh"
require_env
postgres=$(running postgres)
[ -n "$postgres" ] || die 'Postgres does not run: make run'

umask 077
dir=${BACKUP_DIR:-backups} file=rally-$(date -u +%Y-%m-%dT%H-%M-%SZ).dump
mkdir -p "$dir"
trap 'rm -f "$dir/$file.part"' EXIT
docker exec "$postgres" sh -c 'PGPASSWORD=$POSTGRES_PASSWORD exec pg_dump -Fc -U "$POSTGRES_USER" -d "$POSTGRES_DB"' >"$dir/$file.part"
# It reads the dump to its end.
docker exec -i "$postgres" pg_restore -f /dev/null <"$dir/$file.part" || die 'The dump cannot be read. Nothing was written.'
mv "$dir/$file.part" "$dir/$file"
say "$dir/$file ($(wc -c <"$dir/$file") bytes). It has no secrets of .env: keep those apart."
