#!/bin/sh
# Runs one profile of the load suite against a service on this machine.
#
#   loadtest/run-tests.sh smoke|load|stress|spike|soak
#
# BASE_URL (default http://127.0.0.1:8080) is one loopback address or several, separated by commas; METRICS_URL and
# DURATION are passed on to k6. Results go to loadtest/results/<type>_<timestamp>/. Exits as k6 does: 0 when
# every threshold holds, 99 when one does not; 2 for a call that makes no sense.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
type=${1:-}
BASE_URL=${BASE_URL:-http://127.0.0.1:8080}
export BASE_URL

refuse() {
    echo "run-tests.sh: $1" >&2
    exit 2
}

case $type in
    smoke | load | stress | spike | soak) ;;
    *) refuse "which profile? smoke, load, stress, spike or soak" ;;
esac

# Load is for one's own machine: a mistyped address must not flood somebody else's.
for url in $(echo "$BASE_URL,${METRICS_URL:-}" | tr ',' ' '); do
    echo "$url" | grep -Eq '^https?://(127\.[0-9.]+|localhost|\[::1\])(:[0-9]+)?(/[^@]*)?$' \
        || refuse "$url is not an address of this machine (127.0.0.1, localhost or [::1])"
done

if ! k6=$(command -v k6); then
    k6=$here/../.venv/bin/k6
    [ -x "$k6" ] || refuse "k6 is neither on PATH nor in .venv/bin"
fi

RESULTS_DIR=$here/results/${type}_$(date -u +%Y%m%dT%H%M%SZ)
export RESULTS_DIR
mkdir -p "$RESULTS_DIR"
echo "results: $RESULTS_DIR"
TYPE=$type exec "$k6" run --out "json=$RESULTS_DIR/results.json" "$here/k6/main.js"
