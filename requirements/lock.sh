#!/bin/bash
# Resolves pyproject.toml into hashed pins for every supported Python, without the address of any index.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
    env -u PIP_FIND_LINKS .venv/bin/uv pip compile --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet "$@"
}
compile pyproject.toml --output-file requirements/service.txt
compile pyproject.toml --group infra --group dev --constraint requirements/service.txt --output-file requirements/dev.txt
compile --group installer --output-file requirements/installer.txt
# fastapi-users needs its own redis and sqlalchemy; the frameworks and the hash are those that the service runs on.
compile --group bench --output-file requirements/bench.txt --constraint <(
    grep -oE '^(fastapi|starlette|pydantic|pydantic-core|anyio|argon2-cffi|hiredis)==[^ ]+' requirements/service.txt
)
