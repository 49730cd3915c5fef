#!/usr/bin/env bash
# make restore FILE=backups/rally-….dump: replaces the database by a backup. Until the backup is in, the database is as it was.
. "$(dirname "$0")/common.sh"
require_env
[ -f "${FILE:-}" ] || die "${FILE:+There is no file $FILE. }FILE has to be a backup, such as FILE=backups/rally-2026-01-31T12-00-00Z.dump."
lock
start_database
postgres=$(container postgres)
docker exec -i "$postgres" pg_restore --list <"$FILE" >/dev/null || die "$FILE is no backup of make backup."
confirm "This replaces the database${DEPLOY_HOST:+ on $DEPLOY_HOST} by $FILE, and stops Rally meanwhile."

# in_postgres <database> <program> <arguments...>
in_postgres() {
  docker exec -i "$postgres" sh -c 'export PGPASSWORD=$POSTGRES_PASSWORD PGUSER=$POSTGRES_USER PGDATABASE=$0; exec "$@"' "$@"
}
sql() { in_postgres template1 psql -q -v ON_ERROR_STOP=1 -v "name=$(setting POSTGRES_DB)" -v "owner=$(setting POSTGRES_USER)"; }

is_stopped=''
undo() {
  say "The restore failed, and the error is above. The database is as it was."
  sql <<'SQL' || true
DROP DATABASE IF EXISTS restoring WITH (FORCE);
ALTER DATABASE :"name" ALLOW_CONNECTIONS true;
SQL
  [ -z "$is_stopped" ] || deploy/run.sh
  exit 1
}

trap undo EXIT
sql <<'SQL'
DROP DATABASE IF EXISTS restoring WITH (FORCE);
CREATE DATABASE restoring OWNER :"owner";
SQL
in_postgres restoring pg_restore --no-owner --exit-on-error -d restoring <"$FILE"

is_stopped=1
stop_rally
# Nobody else may be in a database that gets another name.
sql <<'SQL'
DROP DATABASE IF EXISTS replaced WITH (FORCE);
ALTER DATABASE :"name" ALLOW_CONNECTIONS false;
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :'name' \g /dev/null
BEGIN;
ALTER DATABASE :"name" RENAME TO replaced;
ALTER DATABASE restoring RENAME TO :"name";
COMMIT;
SQL
trap - EXIT
sql <<<'DROP DATABASE replaced WITH (FORCE);'
say "Restored $FILE."
exec deploy/run.sh
