#!/bin/bash
# Dumps the database to /backups when it holds data, restores the dump into a scratch database, and calls it good when
# that has the same schema, and in every table as many rows that say the same as the database had at that moment. Beside
# the dump lies a file with its checksum and those of the tables. The newest KEEP are kept. Leaves in /textfile for
# Prometheus when it was begun and when it succeeded: where the latter is missing or older, it failed. SPARE is a dump
# that is kept, whatever its age.
set -euo pipefail
. "$(dirname "$0")/database.sh"

began=$(date +%s)
# A line is added to what the last good one said; a file that is half written is never seen.
report() {
    printf '%s\n' "$@" > /textfile/backup.new
    chmod 644 /textfile/backup.new
    mv /textfile/backup.new /textfile/backup.prom
}
attempted() {
    local before
    before=$(grep -v '^janua_backup_last_attempt' /textfile/backup.prom 2> /dev/null || true)
    report "janua_backup_last_attempt_timestamp_seconds $began" ${before:+"$before"}
}
succeeded() {
    report "janua_backup_last_attempt_timestamp_seconds $began" \
        "janua_backup_last_success_timestamp_seconds $(date +%s)"
}
alone || {
    attempted
    exit 1
}
attempted

if [ "$(psql -Atc "SELECT to_regclass('public.users') IS NOT NULL")" != t ] ||
    [ "$(psql -Atc 'SELECT EXISTS (SELECT FROM users)')" != t ]; then
    echo "backup: the database holds no data yet, nothing to keep"
    succeeded
    exit 0
fi

# Not those of a stack whose name begins alike.
digits='[0-9][0-9][0-9][0-9][0-9][0-9]'
of_this_stack="$STACK-${digits}[0-9][0-9]T${digits}Z.dump"
# What a backup left that was killed.
find /backups -maxdepth 1 -name "$of_this_stack.part" -delete

name="$STACK-$(date -u +%Y%m%dT%H%M%SZ).dump"
file="/backups/$name"
scratch="$scratch_prefix$began"
cleanup() {
    drop "$scratch" || true
    rm -f "$file.part"
}
trap cleanup EXIT
drop_left_overs

# One transaction holds the moment that the dump and the checksums are of.
coproc HOLDER { psql --quiet --no-align --tuples-only; }
echo 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot();' >&"${HOLDER[1]}"
read -r snapshot <&"${HOLDER[0]}"
# For an owner who is no superuser: row level security binds that one, too, but hides nothing (revision 009), and an
# extension that the server's administrator has made could not be restored.
pg_dump --enable-row-security --exclude-extension='*' --format=custom --snapshot="$snapshot" --file="$file.part"
digest janua "$snapshot" > /tmp/dumped
echo 'COMMIT;' >&"${HOLDER[1]}"

load "$file.part" "$scratch"
digest "$scratch" > /tmp/restored
compare "what the tables hold" /tmp/dumped /tmp/restored
pg_restore --schema-only --file=- "$file.part" | statements > /tmp/schema.dumped
pg_dump --schema-only "$scratch" | statements > /tmp/schema.restored
compare "the schema" /tmp/schema.dumped /tmp/schema.restored

{
    echo "sha256 $(sha256sum < "$file.part" | cut -d ' ' -f 1)"
    cat /tmp/dumped
} > "$file.sums"
mv "$file.part" "$file"
succeeded
rows=$(awk '{rows += $2} END {print rows}' /tmp/dumped)
echo "backup: $name ($(stat -c %s "$file") bytes, $(psql -Atc 'SELECT count(*) FROM users') users, $rows rows in" \
    "$(wc -l < /tmp/dumped) tables), restored and compared in $(($(date +%s) - began)) s"

# Names end in the time, so their order is the order of age.
find /backups -maxdepth 1 -name "$of_this_stack" ! -name "${SPARE:-}" | sort -r | tail -n "+$((KEEP + 1))" | while read -r old; do
    rm -f -- "$old" "$old.sums"
    echo "backup: $(basename "$old") removed, $KEEP newer ones are kept"
done
