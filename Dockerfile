# Rally's image. `make build V=1.2.3` builds it; docs/operations.md says how to run it.
#
# Build arguments:
#   VERSION  the version that Rally shows, such as 1.2.3; default: that of package.json
#   NODE     the tag of the Node image; 24 and later need UWS
#   UWS      where npm finds upstream's WebSocket addon, such as github:uNetworking/uWebSockets.js#v20.69.0;
#            default: the package of package-lock.json
ARG NODE=22-bookworm-slim

FROM node:${NODE} AS base
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends tini >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
ENV NODE_ENV=production
WORKDIR /app

# Upstream's addon comes by git, which nothing else needs.
FROM base AS upstream
ARG UWS=
RUN mkdir node_modules \
 && if [ -n "$UWS" ]; then \
      apt-get update -qq && apt-get install -y -qq --no-install-recommends git ca-certificates >/dev/null \
      && npm install --no-audit --no-fund --ignore-scripts "uWebSockets.js@$UWS" \
      && rm node_modules/.package-lock.json; \
    fi

# What the server needs at run time. No Postgres of its own: production demands DATABASE_URL.
FROM base AS packages
ARG UWS=
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts --omit=dev --omit=optional --omit=peer \
 && if [ -n "$UWS" ]; then rm -rf node_modules/uWebSockets.js; fi
COPY --from=upstream /app/node_modules node_modules
COPY scripts/image ./scripts/image
RUN node scripts/image/prune-packages.mjs && node scripts/image/bill-of-materials.mjs >sbom.cdx.json

FROM base AS build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts --include=dev
COPY prisma.config.ts ./
COPY prisma prisma
COPY scripts scripts
RUN npm run --silent generate
COPY tsconfig.json ./
COPY src src
RUN npx tsc -b && find dist -type f ! -name '*.js' -delete && rm -rf dist/client
COPY web web
RUN npx vite build web && find web/dist -name '*.map' -delete

FROM base
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /opt/yarn* \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
 && install -d -o node -g node /data
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/prisma/migrations prisma/migrations
COPY --from=build /app/web/dist web/dist
COPY --from=build /app/dist dist
COPY LICENSE package.json ./
COPY --from=packages /app/sbom.cdx.json ./
ARG VERSION=
COPY scripts/image/name-version.mjs /tmp/
RUN node /tmp/name-version.mjs sbom.cdx.json "$VERSION" && rm /tmp/name-version.mjs
USER node
ENV HOST=0.0.0.0 PORT=3001 DATA_DIR=/data
VOLUME /data
EXPOSE 3001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--"]
CMD ["node", "dist/main.js"]
ENV RALLY_VERSION=${VERSION}
LABEL org.opencontainers.image.title="Rally" \
      org.opencontainers.image.description="A self-hosted real-time match server" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
