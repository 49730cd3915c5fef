# Rally's commands. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
INSTALLED := node_modules/.package-lock.json
GENERATED := src/db/generated/client.ts

.PHONY: help install dev start build check format test attack extending e2e bench verify clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) $(GENERATED) ## Install the packages, exactly as locked

$(INSTALLED): package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

$(GENERATED): prisma/schema.prisma | $(INSTALLED)
	npm run generate

dev: install ## Start Rally with a Postgres of its own, reload on changes, print the URL
	@node --import tsx scripts/dev.ts

start: build ## Start the built server
	@node $(if $(wildcard .env),--env-file=.env) dist/main.js

build: install ## Build the server and the page
	npm run build

check: install ## Format, lint with the import rules, types
	npm run check

format: install ## Put all sources into the project's format
	npm run format

test: install ## Every test that needs no browser
	npm test

attack: install ## Load a server to its limits, and measure what a player notices
	npm run attack

extending: install ## Build what the documents tell others to build: modules, games, an application
	npm run extending

e2e: install ## Two browsers play a match; needs Chromium
	npm run e2e

bench: install ## The figures that the README quotes
	npm run bench:rpc
	npm run bench:live
	npm run bench:db

verify: install ## Play a finished match again and compare its result: make verify MATCH=<id>
	@npm run --silent verify -- $(MATCH)

clean: ## Remove what builds and runs leave behind, the development database too
	@# Where Postgres could not reach .data, its data are in the folder that this file names.
	@case "$$(cat .data/postgres.place 2>/dev/null)" in /var/lib/rally/?*) rm -rf "$$(cat .data/postgres.place)" ;; esac
	rm -rf dist web/dist .data test/artifacts coverage
