#!/bin/sh
# Starts haproxy as master and worker in the foreground, so that it can be reloaded without a restart.
set -eu
case "${1:-}" in
    -*) set -- haproxy "$@" ;;
esac
if [ "$1" = haproxy ]; then
    shift
    set -- haproxy -W -db "$@"
fi
exec "$@"
