#!/bin/bash
# Lets the database RESTORED take the place of the one that serves, in one transaction, and drops that one. What caches
# hold of the former is worth nothing afterwards: the generation rises above both.
set -euo pipefail
. "$(dirname "$0")/database.sh"

former=janua_former
sql() { psql --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname="$1" --command="$2"; }

generation=$(sql janua 'SELECT max(value) FROM cache_generation')
sql "$RESTORED" "UPDATE cache_generation SET value = greatest(value, $generation) + 1"
# What is granted on a database itself is not in its dump.
sql postgres "REVOKE ALL ON DATABASE $RESTORED FROM PUBLIC"
sql postgres "GRANT CONNECT ON DATABASE $RESTORED TO janua_app, janua_exporter"
drop "$former"

# The renaming locks the database against whoever wants in, and waits some seconds for those inside to leave: they are
# sent away meanwhile, and not longer: afterwards the name is that of the restored one, which serves. Whom an owner
# may not send away (the server's own workers, which leave by themselves) is not asked: it would be an error.
for _ in $(seq 20); do
    sleep 0.2
    sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname IN ('janua', '$RESTORED') AND pg_has_role(usesysid, 'USAGE')" || true
done > /dev/null &
away=$!
sql postgres "BEGIN; ALTER DATABASE janua RENAME TO $former; ALTER DATABASE $RESTORED RENAME TO janua; COMMIT"
kill "$away" 2> /dev/null || true
wait "$away" 2> /dev/null || true
drop "$former" || echo "restore: the database $former could not be dropped: nobody needs it any more" >&2
echo "restore: the restored database serves"
