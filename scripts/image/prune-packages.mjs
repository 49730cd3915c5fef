// Removes from node_modules what this system never loads: addons of other systems and Node versions, Prisma's compilers of
// other databases, OpenTelemetry's builds for bundlers, types and source maps.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const { platform, arch, versions } = process
const ownAddon = `uws_${platform}_${arch}_${versions.modules}.node`

const isUnused = (name) =>
  (/^uws_.*\.node$/.test(name) && name !== ownAddon) ||
  /^query_compiler_\w+\.(cockroachdb|mysql|sqlite|sqlserver)\./.test(name) ||
  /\.map$|\.d\.[cm]?ts$/.test(name)

const isForBundlers = (folder, name) =>
  /node_modules\/@opentelemetry\//.test(folder) &&
  (/\/build\/(esm|esnext)(\/|$)/.test(folder) || /\.mjs$|^experimental_|^index-incubating/.test(name))

for (const entry of readdirSync('node_modules', { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue
  const { name, parentPath } = entry
  if (isUnused(name) || isForBundlers(parentPath, name)) rmSync(join(parentPath, name))
}
