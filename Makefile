# Rally's commands. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
INSTALLED := node_modules/.package-lock.json
GENERATED := src/db/generated/client.ts

# Shells export HOST and USER for their own purposes, so these count on the command line only.
on_command_line = $(if $(filter command,$(firstword $(origin $(1)))),$($(1)))
export DEPLOY_HOST := $(call on_command_line,HOST)
export ADMIN_NAME := $(call on_command_line,USER)

.PHONY: help install dev start format clean check test faults soak fuzz extending e2e bench verify upstream-uws test-deploy \
	env build push version run stop rebuild deploy status logs backup restore admin

help: ## List the commands
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Develop

install: $(INSTALLED) $(GENERATED) ## Install the locked packages

$(INSTALLED): package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

$(GENERATED): prisma/schema.prisma | $(INSTALLED)
	npm run generate

dev: install ## Start Rally with an embedded Postgres, reload on changes, print the URL; NODES=3 starts three nodes
	@node --import tsx scripts/dev.ts

start: install ## Build the server and the page without Docker, and start them
	npm run build
	@# One that `make env` wrote is for containers: its database cannot be reached from here.
	@if [ -f .env ] && ! grep -q '^COMPOSE_PROFILES=' .env; then file=--env-file=.env; fi; exec node $$file dist/main.js

format: install ## Format all sources
	npm run format

verify: install ## Simulate a finished match again and compare its result: MATCH=<id>
	@npm run --silent verify -- $(MATCH)

upstream-uws: install ## Install upstream's WebSocket addon, which Node 24 and later need; npm has to reach github.com
	npm install --no-save --no-audit --no-fund "uWebSockets.js@$(or $(UWS),github:uNetworking/uWebSockets.js#v20.69.0)"

##@ Test

check: install ## Check format, lint, import rules and types
	npm run check

test: install ## Run the tests that need no browser
	npm test

e2e: install ## Run the tests in a browser; needs Chromium
	npm run e2e

faults: install ## Break what Rally depends on, load it to its limits, and print what players notice
	npm run faults

fuzz: install ## Send a million mutated frames and 100,000 odd HTTP connections; FUZZ_SEED= repeats a run
	npm run fuzz

soak: install ## Use a server for a long time, and fail if it keeps memory, entries of maps or errors: MINUTES=20
	npm run soak -- --minutes $(or $(MINUTES),20)

extending: install ## Build the examples of the documents: modules, games, an application
	npm run extending

test-deploy: install ## Build, deploy, roll back, back up and restore an installation of its own; needs Docker
	test/deploy/run

bench: install ## Measure the figures of the README
	npm run bench:rpc
	npm run bench:live
	npm run bench:db
	npm run bench:scores
	npm run bench:rooms

##@ Run with Docker. HOST=user@server: on that server, over ssh. REGISTRY=registry.example.com: where images go

env: ## Write a .env with fresh secrets; PUBLIC_URL=https://rally.example.com, PROFILES=cluster|small
	@deploy/env.sh

build: ## Build the image of a version and name it in docker-compose.yml: V=1.2.3
	@deploy/build.sh
	@deploy/version.sh

push: ## Push the image of a version: V=1.2.3 REGISTRY=registry.example.com
	@deploy/push.sh

version: ## Name a version in docker-compose.yml: V=1.2.3
	@deploy/version.sh

run: ## Start the version of docker-compose.yml, and wait until it serves
	@deploy/run.sh

stop: ## Stop everything and keep the data
	@deploy/stop.sh

rebuild: ## Build the version of docker-compose.yml without the cache, and run it
	@deploy/rebuild.sh

deploy: ## Build, push and run a version, replica by replica; back to the former one if it fails: V=1.2.3
	@deploy/deploy.sh

clean: ## Remove build output, the development database, containers and volumes, after asking; YES=1 answers
	@deploy/clean.sh
	@# Where Postgres could not reach .data, its data are in the folder that this file names.
	@case "$$(cat .data/postgres.place 2>/dev/null)" in /var/lib/rally/?*) rm -rf "$$(cat .data/postgres.place)" ;; esac
	rm -rf dist web/dist .data test/artifacts coverage

##@ Operate

status: ## Show what runs, and whether each replica serves
	@deploy/status.sh

logs: ## Follow the logs; S=app-1 of one service
	@deploy/logs.sh

backup: ## Write the database to backups/
	@deploy/backup.sh

restore: ## Replace the database by a backup, after asking: FILE=backups/rally-....dump
	@deploy/restore.sh

admin: ## Make a user an administrator: USER=ada
	@deploy/admin.sh
