#!/bin/bash
# Drops the database RESTORED, which is not to serve after all.
set -euo pipefail
. "$(dirname "$0")/database.sh"

drop "$RESTORED"
echo "restore: what was restored is dropped"
