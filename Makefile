# `make help` lists what there is. Settings: STACK (default staging), JANUA_HOST_CHANGES=off keeps the set-up from
# installing or starting anything on this host, JANUA_TOOLCHAIN=build skips looking for an official Pulumi.
SHELL := /bin/bash
.DEFAULT_GOAL := help
STACK ?= staging
PYTHON ?= python3
VENV := .venv/bin
# What runs in the Python environment, which `make setup` makes, and says so where there is none.
ENVIRONMENT := $(VENV)/python
SOURCES := alerts bench dashboards drills evidence infra loadtest migrations service tests

.PHONY: help setup up test unit seed compare indexes backup restore rollback integration e2e lint format lock generate bench dev status down clean load drill panels pictures pin

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 14

setup: ## all the set-up of this machine, idempotent
	$(PYTHON) -m infra.setup --stack $(STACK)

up: setup ## the set-up, then `pulumi up`; ends with URLs, credentials and the gate's verdict
	$(VENV)/python -m infra.operations.up --stack $(STACK)

status: | $(ENVIRONMENT) ## health, URLs, versions, alerts (JSON=1: one JSON object, SECRETS=1: with the secret outputs)
	@$(VENV)/python -m infra.operations.status --stack $(STACK) $(if $(JSON),--json) $(if $(SECRETS),--secrets)

down: | $(ENVIRONMENT) ## `pulumi destroy`: no container, network or volume left; backups, images and toolchain stay
	@$(VENV)/python -m infra.operations.down --stack $(STACK)

clean: ## after `make down`: images, caches, secrets, and the engine that the set-up started
	$(PYTHON) -m infra.operations.clean

dev: ## the service alone on SQLite and an in-process cache, without Docker: http://127.0.0.1:8000/docs
	@$(PYTHON) -m infra.setup --only python
	$(VENV)/alembic upgrade head
	$(VENV)/python -m service

load: | $(ENVIRONMENT) ## the k6 suite against the running stack: TYPE=smoke|load|stress|spike|soak; RATE=20 a second, DURATION=90s
	@$(VENV)/python -m evidence.load $(TYPE) --stack $(STACK) $(if $(RATE),--rate $(RATE)) $(if $(DURATION),--duration $(DURATION))

seed: | $(ENVIRONMENT) ## users with sessions and audit rows in the running stack, to test with: USERS=1000000
	@$(VENV)/python -m loadtest.population $(or $(USERS),1000000) --stack $(STACK)

rollback: | $(ENVIRONMENT) ## the release of before, deployed again from its commit: COMMIT=… for another one
	@$(VENV)/python -m infra.operations.rollback --stack $(STACK) $(if $(COMMIT),--commit $(COMMIT))

backup: | $(ENVIRONMENT) ## a dump of the running stack's database, restored and compared before it is called good
	@$(VENV)/python -m infra.operations.backup --stack $(STACK)

restore: | $(ENVIRONMENT) ## a dump takes the place of the running stack's database, if it holds what it has to: FILE=backups/….dump
	@$(VENV)/python -m infra.operations.restore $(FILE) --stack $(STACK)

drill: | $(ENVIRONMENT) ## a fault in the running stack must page within 90 s: NAME=redis-dead, all, healthy (SECONDS=600), clear, …
	@$(VENV)/python -m drills $(NAME) --stack $(STACK) $(if $(SECONDS),--seconds $(SECONDS))

panels: | $(ENVIRONMENT) ## whether every panel of the dashboards and every rule has data in the running stack
	@$(VENV)/python -m dashboards.live $$($(VENV)/python -m infra.operations.status --stack $(STACK) --output prometheus_url)

pictures: | $(ENVIRONMENT) ## every panel of the dashboards as a picture, from the running stack: .janua/pictures/index.html; MINUTES=30
	@$(VENV)/python -m dashboards.pictures --minutes $(or $(MINUTES),30) \
		--prometheus $$($(VENV)/python -m infra.operations.status --stack $(STACK) --output prometheus_url)

compare: setup ## the release as a baseline (no cache, no indexes) and as it is, both deployed and measured in turn; USERS=100000, QUICK=1
	$(VENV)/python -m evidence.compare $(if $(USERS),--users $(USERS)) $(if $(QUICK),--quick)

indexes: setup ## what each index of revision 006 gives and costs, on a PostgreSQL of its own; USERS=1000000
	$(VENV)/python -m evidence.indexes $(if $(USERS),--users $(USERS))

bench: setup ## the benchmark: throughput, latency, CPU per request, against the targets; ONLY=cpu,edge for parts, QUICK=1
	$(VENV)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick)

test: ## the set-up, the linters, then every test
	$(PYTHON) -m infra.setup --stack $(STACK) --tests
	@$(MAKE) --no-print-directory lint
	$(VENV)/python -m pytest

unit: | $(ENVIRONMENT) ## the fast tests, without Docker
	$(VENV)/python -m pytest -m "not integration and not e2e"

integration: | $(ENVIRONMENT) ## the tests on real PostgreSQL and Redis, and those of the images' own tools
	$(VENV)/python -m pytest -m integration

e2e: | $(ENVIRONMENT) ## the tests around a real `pulumi up`
	$(VENV)/python -m pytest -m e2e

lint: | $(ENVIRONMENT) ## ruff and mypy
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy $(SOURCES)

format: | $(ENVIRONMENT) ## rewrite the sources in ruff's format
	$(VENV)/ruff format .
	$(VENV)/ruff check --fix .

generate: | $(ENVIRONMENT) ## write the rule files and dashboards that derive from the targets
	$(VENV)/python -m alerts.generate
	$(VENV)/python -m dashboards.generate

lock: | $(ENVIRONMENT) ## resolve the hashed pins anew
	requirements/lock.sh

pin: | $(ENVIRONMENT) ## take over the digests and package versions that the image sources carry now
	$(VENV)/python -m infra.images.pin

$(ENVIRONMENT):
	@echo "There is no Python environment yet: run 'make setup' first." >&2; exit 1
