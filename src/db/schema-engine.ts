import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'
import type { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'
import type { Log } from '../logger.ts'
import { type ConnectionOptions, connectionConfig, sessionSettings } from './pool.ts'

/** Nothing of the database is managed elsewhere. */
export const NO_FILTERS = { externalTables: [], externalEnums: [] }

export interface OpenSchemaEngine {
  readonly engine: SchemaEngine
  close(): Promise<void>
}

/** Opens Prisma's schema engine on a database; it connects at once. `schema` is the text of a Prisma schema. */
export async function openSchemaEngine(
  options: ConnectionOptions & { readonly schema?: string; readonly log: Log },
): Promise<OpenSchemaEngine> {
  const { schema, log } = options
  // One connection: the engine holds a session lock while it works.
  const settings = sessionSettings(options)
  const pool = new pg.Pool({ ...connectionConfig(options), max: 1, onConnect: (client) => client.query(settings) })
  const onError = (error: Error) => log.warn({ err: error }, 'connection of the schema engine failed')
  pool.on('connect', (client) => client.on('error', onError))
  try {
    const { SchemaEngine } = await loadEngine()
    const engine = await SchemaEngine.new(
      { datamodels: schema === undefined ? undefined : [['schema.prisma', schema]] },
      (line: string) => log.debug({ engine: engineMessage(line) }, 'schema engine'),
      bindMigrationAwareSqlAdapterFactory(adapterFactory(pool, onError)),
    )
    return {
      engine,
      async close() {
        engine.free()
        await pool.end()
      },
    }
  } catch (error) {
    await pool.end()
    throw error
  }
}

/** The SQL that leads from one Prisma schema (nothing, when there is none) to another, `undefined` if they are equal. */
export async function diffSchemas(
  engine: SchemaEngine,
  from: string | undefined,
  to: string,
): Promise<string | undefined> {
  const files = (content: string) => [{ path: 'schema.prisma', content }]
  const { stdout } = await engine.diff({
    from: from === undefined ? { tag: 'empty' } : { tag: 'schemaDatamodel', files: files(from) },
    to: { tag: 'schemaDatamodel', files: files(to) },
    script: true,
    exitCode: null,
    filters: NO_FILTERS,
  })
  // `public` always exists, and a user without rights on the whole database may not ask for it.
  const script = (stdout ?? '').replace(/^-- CreateSchema\nCREATE SCHEMA IF NOT EXISTS "public";\n\n/, '')
  return /^-- This is an empty migration/.test(script) || script.trim() === '' ? undefined : script
}

function adapterFactory(pool: pg.Pool, onError: (error: Error) => void): SqlMigrationAwareDriverAdapterFactory {
  const factory = new PrismaPg(pool, { onPoolError: onError, onConnectionError: onError })
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connectToShadowDb: () => factory.connectToShadowDb(),
    async connect() {
      const adapter = await factory.connect()
      // The adapter's own cuts a script at every semicolon, those in strings and functions too. Sent as a whole, it is
      // also one transaction: a migration happens or does not.
      adapter.executeScript = async (script) => {
        await adapter.executeRaw({ sql: script, args: [], argTypes: [] })
      }
      return adapter
    },
  }
}

type EngineModule = typeof import('@prisma/schema-engine-wasm/schema_engine_bg')

/** The package keeps its instance in a module variable, so there is one for the process: a second would break the first. */
let loading: Promise<EngineModule> | undefined

function loadEngine(): Promise<EngineModule> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

async function load(): Promise<EngineModule> {
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

/** The engine logs lines of JSON that may carry whole scripts. */
function engineMessage(line: string): string {
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line.slice(0, 200)
}
