#!/usr/bin/env bash
# make version V=1.2.3: names that version in docker-compose.yml.
. "$(dirname "$0")/common.sh"
require_version
lock
name_image "$(image_of "$V")"
say "docker-compose.yml names $(named_image). \`make run\` starts it."
