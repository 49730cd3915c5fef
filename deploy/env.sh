#!/usr/bin/env bash
# make env: writes a .env with fresh secrets. PUBLIC_URL=https://rally.example.com, PORT= and PROFILES= fill in these.
. "$(dirname "$0")/common.sh"
[ ! -e .env ] || die 'There is a .env already. Its secrets are those of your data: keep it.'

url=${PUBLIC_URL:-} profiles=${PROFILES:-cluster} password=$(openssl rand -hex 24)
[[ $url =~ ^(https?://[^/]+)?$ ]] || die "PUBLIC_URL has to be like https://rally.example.com, without a slash at its end."
umask 077
cat >.env.new <<ENV
# Written by \`make env\`. Keep a copy of it apart from the backups: without ENCRYPTION_KEY nobody can sign in.
# .env.example lists every variable of Rally; those that are added here reach it, too.

# --- What runs ---
# cluster or small; and watch, for Prometheus and Grafana: cluster,watch
COMPOSE_PROFILES=$profiles
COMPOSE_PROJECT_NAME=$COMPOSE_PROJECT_NAME
# Where images are pushed to and pulled from. Empty: they stay where they are built.
REGISTRY=${REGISTRY:-}

# --- Where it is reached ---
# Such as https://rally.example.com, without a slash at its end. Empty: plain http on this machine.
PUBLIC_URL=$url
# The port on this machine, and of Rally in its containers.
PORT=${PORT:-3001}
# Caddy's, for the name in PUBLIC_URL: IPv4 alone, see docs/operations.md. 127.0.0.1:0 is a free port that only this machine reaches.
HTTP_PORT=${HTTP_PORT:-$([[ $url = https:* ]] && echo 0.0.0.0:80 || echo 127.0.0.1:0)}
HTTPS_PORT=${HTTPS_PORT:-$([[ $url = https:* ]] && echo 0.0.0.0:443 || echo 127.0.0.1:0)}

# --- Secrets ---
JWT_SECRET=$(openssl rand -base64 48)
COOKIE_SECRET=$(openssl rand -base64 48)
ENCRYPTION_KEY=$(date +%Y-%m):$(openssl rand -base64 32)
METRICS_TOKEN=$(openssl rand -hex 24)

# --- Postgres ---
# User, password and database are made with the volume. Changing them here does not change them there.
POSTGRES_USER=rally
POSTGRES_PASSWORD=$password
POSTGRES_DB=rally
POSTGRES_PORT=5432
DATABASE_URL=postgresql://rally:$password@postgres:5432/rally
ENV
mv .env.new .env
say "Wrote .env with fresh secrets. Keep a copy of it in a safe place."
