#!/bin/bash
# Dumps the database to /backups when it holds data, checks that the dump can be read, keeps the newest KEEP.
set -euo pipefail
umask 077
PGPASSWORD=$(cat /run/secrets/database_password)
export PGPASSWORD PGHOST=postgres PGUSER=janua PGDATABASE=janua

if [ "$(psql -Atc "SELECT to_regclass('public.users') IS NOT NULL")" != t ] ||
    [ "$(psql -Atc 'SELECT EXISTS (SELECT FROM users)')" != t ]; then
    echo "backup: the database holds no data yet, nothing to keep"
    exit 0
fi

file="/backups/$STACK-$(date -u +%Y%m%dT%H%M%SZ).dump"
pg_dump --format=custom --file="$file.part"
pg_restore --list "$file.part" > /dev/null
mv "$file.part" "$file"
echo "backup: $(basename "$file") ($(stat -c %s "$file") bytes, $(psql -Atc 'SELECT count(*) FROM users') users)"

# Names end in the time, so their order is the order of age.
find /backups -maxdepth 1 -name "$STACK-*.dump" | sort -r | tail -n "+$((KEEP + 1))" | while read -r old; do
    rm -- "$old"
    echo "backup: $(basename "$old") removed, $KEEP newer ones are kept"
done
