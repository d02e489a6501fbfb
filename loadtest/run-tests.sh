#!/bin/sh
# Runs one profile of the load suite against a service on this machine.
#
#   loadtest/run-tests.sh smoke|load|stress|spike|soak
#
# BASE_URL (default http://127.0.0.1:8080) is one loopback address or several, separated by commas; README.md beside
# this file has the other variables. Results go to loadtest/results/<type>_<timestamp>/. Exits as k6 does: 0 when
# every threshold holds, 99 when one does not, 107 for a variable that it refuses; 2 for a call that makes no sense.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
type=${1:-}
BASE_URL=${BASE_URL:-http://127.0.0.1:8080}
export BASE_URL

refuse() {
    echo "run-tests.sh: $1" >&2
    exit 2
}

# How often k6 writes down its figures for the report: it makes none of fewer than three times, nor of thousands.
case $type in
    smoke) period=1s ;;
    load | stress | spike) period=2s ;;
    soak) period=15s ;;
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

RESULTS_DIR=${RESULTS_DIR:-$here/results/${type}_$(date -u +%Y%m%dT%H%M%SZ)}
export RESULTS_DIR
mkdir -p "$RESULTS_DIR"
echo "results: $RESULTS_DIR"

# The report is a file that needs nothing else: no server is opened for it (port -1), nor k6's own (no address).
export K6_WEB_DASHBOARD="${K6_WEB_DASHBOARD:-true}" K6_WEB_DASHBOARD_PORT=-1 K6_WEB_DASHBOARD_OPEN=false
export K6_WEB_DASHBOARD_PERIOD="${K6_WEB_DASHBOARD_PERIOD:-$period}" K6_WEB_DASHBOARD_EXPORT="$RESULTS_DIR/k6.html"
set -- --address '' --out "json=$RESULTS_DIR/results.json"

if [ -n "${K6_PROMETHEUS_RW_SERVER_URL:-}" ]; then
    # Percentiles are what the dashboard shows; when the run ends, so do its series.
    export K6_PROMETHEUS_RW_TREND_STATS="${K6_PROMETHEUS_RW_TREND_STATS:-p(50),p(95),p(99),avg}"
    export K6_PROMETHEUS_RW_STALE_MARKERS="${K6_PROMETHEUS_RW_STALE_MARKERS:-true}"
    set -- "$@" --out experimental-prometheus-rw
fi

if [ ! -t 1 ]; then
    # Where k6 cannot draw its bar it would print two lines a second.
    export PROGRESS_SECONDS="${PROGRESS_SECONDS:-10}"
    set -- "$@" --quiet
fi

TYPE=$type exec "$k6" run "$@" "$here/k6/main.js"
