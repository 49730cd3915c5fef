#!/usr/bin/env bash
# make clean: removes the containers and their volumes. .env, images and backups stay.
. "$(dirname "$0")/common.sh"
confirm "This removes the build output, Rally's containers and volumes, and with them the database${DEPLOY_HOST:+ on $DEPLOY_HOST}."
[ -f .env ] && docker info >/dev/null 2>&1 || exit 0
lock
compose "${every_profile[@]}" down --volumes --remove-orphans
