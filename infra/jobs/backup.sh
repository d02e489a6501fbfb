#!/bin/bash
# Dumps the database to /backups when it holds data, checks that the dump can be read, keeps the newest KEEP. Leaves in
# /textfile for Prometheus when it was begun and when it succeeded: where the latter is missing or older, it failed.
set -euo pipefail
umask 077

began=$(date +%s)
# A line is added to what the last good one said; a file that is half written is never seen.
report() {
    printf '%s\n' "$@" > /textfile/backup.new
    chmod 644 /textfile/backup.new
    mv /textfile/backup.new /textfile/backup.prom
}
before=$(grep -v '^janua_backup_last_attempt' /textfile/backup.prom 2> /dev/null || true)
report "janua_backup_last_attempt_timestamp_seconds $began" ${before:+"$before"}
succeeded() {
    report "janua_backup_last_attempt_timestamp_seconds $began" \
        "janua_backup_last_success_timestamp_seconds $(date +%s)"
}

PGPASSWORD=$(cat /run/secrets/database_password)
export PGPASSWORD PGHOST=postgres PGUSER=janua PGDATABASE=janua

if [ "$(psql -Atc "SELECT to_regclass('public.users') IS NOT NULL")" != t ] ||
    [ "$(psql -Atc 'SELECT EXISTS (SELECT FROM users)')" != t ]; then
    echo "backup: the database holds no data yet, nothing to keep"
    succeeded
    exit 0
fi

file="/backups/$STACK-$(date -u +%Y%m%dT%H%M%SZ).dump"
pg_dump --format=custom --file="$file.part"
pg_restore --list "$file.part" > /dev/null
mv "$file.part" "$file"
succeeded
echo "backup: $(basename "$file") ($(stat -c %s "$file") bytes, $(psql -Atc 'SELECT count(*) FROM users') users)"

# Names end in the time, so their order is the order of age.
find /backups -maxdepth 1 -name "$STACK-*.dump" | sort -r | tail -n "+$((KEEP + 1))" | while read -r old; do
    rm -- "$old"
    echo "backup: $(basename "$old") removed, $KEEP newer ones are kept"
done
