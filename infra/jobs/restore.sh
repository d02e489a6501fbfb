#!/bin/bash
# Makes a database RESTORED of the dump /backups/FILE, beside the one that serves, and compares it with the checksums
# that were written when the dump was made. Nothing of it is left if anything differs.
set -euo pipefail
. "$(dirname "$0")/database.sh"
alone

refuse() {
    echo "restore: $FILE is refused: $1" >&2
    exit 1
}
dump="/backups/$FILE"
[ -f "$dump" ] || refuse "there is no such file in the folder of backups"
[ -f "$dump.sums" ] || refuse "there is no $FILE.sums beside it that says what it has to hold"
[ "sha256 $(sha256sum < "$dump" | cut -d ' ' -f 1)" = "$(head -n 1 "$dump.sums")" ] ||
    refuse "it is not as it was when it was made: its checksum differs"

trap 'drop "$RESTORED"' ERR
drop_left_overs
drop "$RESTORED"
load "$dump" "$RESTORED"
psql --quiet --dbname="$RESTORED" --command='CREATE EXTENSION IF NOT EXISTS pg_stat_statements' ||
    echo "restore: without pg_stat_statements the panels of the slowest statements stay empty"
tail -n +2 "$dump.sums" > /tmp/expected
digest "$RESTORED" > /tmp/restored
compare "what the tables hold" /tmp/expected /tmp/restored
echo "restore: $FILE restored beside the database that serves, $(wc -l < /tmp/restored) tables compared"
