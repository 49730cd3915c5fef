# Rally's commands. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
INSTALLED := node_modules/.package-lock.json
GENERATED := src/db/generated/client.ts

.PHONY: help install dev start build check format test faults extending e2e bench verify upstream-uws clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) $(GENERATED) ## Install the locked packages

$(INSTALLED): package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

$(GENERATED): prisma/schema.prisma | $(INSTALLED)
	npm run generate

dev: install ## Start Rally with an embedded Postgres, reload on changes, print the URL; NODES=3 starts three nodes
	@node --import tsx scripts/dev.ts

start: build ## Start the built server
	@node $(if $(wildcard .env),--env-file=.env) dist/main.js

build: install ## Build the server and the page
	npm run build

check: install ## Check format, lint, import rules and types
	npm run check

format: install ## Format all sources
	npm run format

test: install ## Run the tests that need no browser
	npm test

faults: install ## Break what Rally depends on, load it to its limits, and print what players notice
	npm run faults

extending: install ## Build the examples of the documents: modules, games, an application
	npm run extending

e2e: install ## Run the tests in a browser; needs Chromium
	npm run e2e

bench: install ## Measure the figures of the README
	npm run bench:rpc
	npm run bench:live
	npm run bench:db

verify: install ## Simulate a finished match again and compare its result: make verify MATCH=<id>
	@npm run --silent verify -- $(MATCH)

upstream-uws: install ## Install upstream's WebSocket addon, which Node 24 and later need; npm has to reach github.com
	npm install --no-save --no-audit --no-fund "uWebSockets.js@$(or $(UWS),github:uNetworking/uWebSockets.js#v20.69.0)"

clean: ## Remove build output and the development database
	@# Where Postgres could not reach .data, its data are in the folder that this file names.
	@case "$$(cat .data/postgres.place 2>/dev/null)" in /var/lib/rally/?*) rm -rf "$$(cat .data/postgres.place)" ;; esac
	rm -rf dist web/dist .data test/artifacts coverage
