import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { ServerProcess } from '../recovery/server-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { isRedisInstalled, needsRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

/** Processes of Rally on one Postgres and one Redis. */
export interface Cluster {
  readonly nodes: readonly ServerProcess[]
  readonly redis: TestRedis
  /** The way of all nodes to Redis. */
  readonly wayToRedis: TcpProxy
  readonly db: Database['db']
  /** The address of a node, of which the first is 0. */
  url(node: number): string
  port(node: number): number
}

const secret = () => randomBytes(32).toString('base64')

/** Starts a cluster for the tests of a file, and ends it after them. They are left out without a Redis. */
export function startCluster(environment: Readonly<Record<string, string>> = {}, size = 3): Cluster {
  needsRedis()
  let redis: TestRedis
  let wayToRedis: TcpProxy
  let database: TestDatabase
  let opened: Database
  let nodes: ServerProcess[] = []

  beforeAll(async () => {
    if (!isRedisInstalled) return
    redis = await startRedis()
    wayToRedis = await startTcpProxy(redis.port)
    database = await createTestDatabase()
    opened = await database.open()
    const shared = {
      DATABASE_URL: database.url,
      REDIS_URL: `redis://127.0.0.1:${wayToRedis.port}`,
      JWT_SECRET: secret(),
      COOKIE_SECRET: secret(),
      ENCRYPTION_KEY: secret(),
      MATCH_COUNTDOWN_MS: '300',
      MATCH_COME_BACK_MS: '60000',
      HEARTBEAT_SECONDS: '5',
      LIMIT_AUTH_PER_IP: '100000',
      LIMIT_TIMES_PER_IP: '10000',
      LIMIT_UPGRADES_PER_SECOND: '10000',
      LIMIT_UPGRADES_BURST: '10000',
      LOG_LEVEL: 'error',
      ...environment,
    }
    nodes = await Promise.all(Array.from({ length: size }, () => ServerProcess.create(shared)))
    await Promise.all(nodes.map((node) => node.start()))
  }, 120_000)
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
    await wayToRedis?.close()
    await redis?.[Symbol.asyncDispose]()
    await database?.drop()
  }, 60_000)

  const url = (node: number) => nodes[node]?.url ?? ''
  return {
    get nodes() {
      return nodes
    },
    get redis() {
      return redis
    },
    get wayToRedis() {
      return wayToRedis
    },
    get db() {
      return opened.db
    },
    url,
    port: (node) => Number(new URL(url(node)).port),
  }
}
