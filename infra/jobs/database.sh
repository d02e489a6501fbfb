# shellcheck shell=bash
# What the jobs on the database share; to be sourced.
# The environment says which server it is (PGHOST, PGUSER, PGDATABASE, …).
PGPASSWORD=$(cat /run/secrets/database_password)
export PGPASSWORD
umask 077

jobs=/usr/local/lib/janua
scratch_prefix=janua_scratch_

# alone: wait until no other job of this folder of backups works; it lasts as long as the process.
alone() {
    exec 9> /backups/.lock
    if ! flock --nonblock 9; then
        echo "another backup or restore works; waiting for it"
        flock --timeout 600 9 || { echo "it goes on for ten minutes: given up" >&2; return 1; }
    fi
}

# digest DATABASE [SNAPSHOT]: a line for each table, as of a snapshot if one is given.
digest() {
    {
        echo 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;'
        if [ -n "${2:-}" ]; then echo "SET TRANSACTION SNAPSHOT '$2';"; fi
        cat "$jobs/digest.sql"
        echo 'COMMIT;'
    } | psql --dbname="$1" --quiet --no-align --tuples-only --field-separator=' ' --set=ON_ERROR_STOP=1
}

# statements < SQL: a schema without what differs from one dump to the next: comments, empty lines, nonces.
statements() {
    grep -Ev '^(--.*|\\(un)?restrict .*|SELECT pg_catalog.set_config.*|SET .*|)$'
}

# load FILE DATABASE: make a database of a dump, or none at all.
load() {
    psql --quiet --dbname=postgres --command="CREATE DATABASE $2 TEMPLATE template0"
    pg_restore --exit-on-error --dbname="$2" "$1"
}

drop() {
    PGOPTIONS='--client-min-messages=warning' psql --quiet --dbname=postgres \
        --command="DROP DATABASE IF EXISTS $1 WITH (FORCE)"
}

# Databases that a job left which was killed.
drop_left_overs() {
    psql --dbname=postgres --no-align --tuples-only \
        --command="SELECT datname FROM pg_database WHERE datname LIKE '$scratch_prefix%'" |
        while read -r left; do drop "$left"; done
}

# compare WHAT EXPECTED FOUND: fail, with the difference on the screen, unless both files say the same.
compare() {
    if ! diff "$2" "$3" > /tmp/difference; then
        echo "$1 differs (<: in the database, >: in the backup):" >&2
        head -n 20 /tmp/difference >&2
        return 1
    fi
}
