#!/usr/bin/env bash
# Removes what tests left on the engine when they were ended before they could clean up: their containers are
# labelled com.janua.test, their stacks are named e2e-…; and the processes that a killed update left.
set -uo pipefail
# Plugins of an update that was killed: they serve an engine that is gone, so their parent is process 1.
pgrep --parent 1 --full '/janua/(toolchain|pulumi)/.*/pulumi-(language|resource)-' | xargs --no-run-if-empty kill
docker version > /dev/null 2>&1 || exit 0
{
    docker ps --all --quiet --filter label=com.janua.test
    docker ps --all --quiet --filter name='^janua-e2e-'
} | sort -u | xargs --no-run-if-empty docker rm --force --volumes > /dev/null
docker network ls --quiet --filter name='^janua-e2e-' | xargs --no-run-if-empty docker network rm > /dev/null
docker volume ls --quiet --filter name='^janua-e2e-' | xargs --no-run-if-empty docker volume rm > /dev/null
exit 0
