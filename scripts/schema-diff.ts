import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'

/** One for the process: the package keeps its instance in a variable, and a second would break the first. */
const { SchemaEngine } = await loadEngine()

/**
 * The SQL that leads from one Prisma schema (`undefined`: an empty database) to another; `undefined` when they are equal.
 * Prisma's schema engine compares the texts. It runs as WebAssembly, so there is no binary to download.
 */
export async function diffSchemas(from: string | undefined, to: string): Promise<string | undefined> {
  const factory = bindMigrationAwareSqlAdapterFactory(noDatabase)
  const engine = await SchemaEngine.new({ datamodels: [['schema.prisma', to]] }, () => undefined, factory)
  const files = (content: string) => [{ path: 'schema.prisma', content }]
  const { stdout } = await engine.diff({
    from: from === undefined ? { tag: 'empty' } : { tag: 'schemaDatamodel', files: files(from) },
    to: { tag: 'schemaDatamodel', files: files(to) },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  })
  engine.free()
  // `public` always exists, and a user without rights on the whole database may not ask for it.
  const script = (stdout ?? '').replace(/^-- CreateSchema\nCREATE SCHEMA IF NOT EXISTS "public";\n\n/, '')
  return /^-- This is an empty migration/.test(script) || script.trim() === '' ? undefined : script
}

type EngineModule = typeof import('@prisma/schema-engine-wasm/schema_engine_bg')

async function loadEngine(): Promise<EngineModule> {
  const name = '@prisma/schema-engine-wasm/schema_engine_bg'
  const path = createRequire(import.meta.url).resolve(name)
  const [module, wasm] = await Promise.all([
    import('@prisma/schema-engine-wasm/schema_engine_bg'),
    readFile(path.replace(/\.js$/, '.wasm')),
  ])
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': { ...module } })
  module.__wbg_set_wasm(instance.exports)
  const start = instance.exports.__wbindgen_start
  if (typeof start === 'function') start()
  return module
}

const unused = () => Promise.reject(new Error('the engine compares texts and needs no database'))

/** The engine connects first, and asks whether the schema exists, and for the server's version. */
const connection: SqlDriverAdapter = {
  provider: 'postgres',
  adapterName: 'none',
  queryRaw: async () => ({
    columnNames: ['exists', 'version', 'number'],
    columnTypes: [5, 7, 0],
    rows: [[true, '', 180_000]],
  }),
  executeRaw: unused,
  executeScript: unused,
  startTransaction: unused,
  dispose: async () => undefined,
}
const noDatabase: SqlMigrationAwareDriverAdapterFactory = {
  provider: 'postgres',
  adapterName: 'none',
  connect: async () => connection,
  connectToShadowDb: unused,
}
