import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { statement } from '../../src/db/sql.ts'
import { newcomer } from '../support/newcomers.ts'
import { execute } from '../support/postgres.ts'
import { quietLog } from '../support/quiet-log.ts'
import { type Rally, startRally } from '../support/server.ts'
import { startTcpProxy, type TcpProxy as Way } from '../support/tcp-proxy.ts'
import { CONNECT_FOUR, create, follow, playConnectFour, seatTwo, startLive, startQuickRally } from './support.ts'

const LOCK = statement('test.lock', 'SELECT 1 FROM matches WHERE id = ANY($1) FOR UPDATE')

/** A Postgres of the test's own, behind an address that stays when it is started anew. */
class Outages implements AsyncDisposable {
  readonly dataDir: string
  readonly proxy: Way
  #postgres: EmbeddedPostgres

  constructor(dataDir: string, proxy: Way, postgres: EmbeddedPostgres) {
    this.dataDir = dataDir
    this.proxy = proxy
    this.#postgres = postgres
  }

  static async start(): Promise<Outages> {
    const dataDir = await mkdtemp(join(tmpdir(), 'rally-outage-'))
    const [proxy, postgres] = await Promise.all([startTcpProxy(), startEmbedded(dataDir)])
    proxy.leadTo(addressOf(postgres))
    return new Outages(dataDir, proxy, postgres)
  }

  /** Where Rally finds it. */
  get url(): string {
    const url = new URL(this.#postgres.url)
    url.host = `127.0.0.1:${this.proxy.port}`
    return url.href
  }

  async begin(): Promise<void> {
    this.proxy.leadTo(undefined)
    await this.#postgres.stop()
  }

  async end(): Promise<void> {
    this.#postgres = await startEmbedded(this.dataDir)
    this.proxy.leadTo(addressOf(this.#postgres))
  }

  query(sql: string) {
    return execute(this.#postgres.url, sql)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy.close()
    await this.#postgres.stop()
    await rm(this.dataDir, { recursive: true, force: true })
  }
}

const startEmbedded = (dataDir: string) => startEmbeddedPostgres({ dataDir, log: quietLog, durable: false })
const addressOf = ({ url }: EmbeddedPostgres) => ({ host: '127.0.0.1', port: Number(new URL(url).port) })

const onDatabase = (outages: Outages): Promise<Rally> =>
  startQuickRally({ comeBackMs: 20_000 }, { config: { databaseUrl: outages.url, logLevel: 'silent' } })

test.concurrent('players keep their match while the database is away, and its result is stored once', async () => {
  await using outages = await Outages.start()
  await using rally = await onDatabase(outages)
  const { first, second, follower, matchId } = await seatTwo(rally, CONNECT_FOUR)
  await follower.live()
  const version = follower.latest.version

  await outages.begin()
  await playConnectFour([first.client, second.client], matchId)
  const refused = await first.client.request('matches.create', { game: 'pong', mode: 'bot' }, { deadlineMs: 10_000 })
  expect(refused.error).toBe('UNAVAILABLE')
  // Nothing is announced that is not committed.
  expect(follower.catchUp()).toMatchObject({ status: 'live', version })

  await outages.end()
  const over = await follower.over(15_000)
  expect(over).toMatchObject({ status: 'finished', winnerSeat: 0, version: version + 1 })
  const { rows } = await outages.query(`SELECT status, version, ticks FROM matches WHERE id = '${matchId}'`)
  expect(rows).toEqual([{ status: 'finished', version: over.version, ticks: 7 }])
  // The players can go on.
  expect(await create(second.client, { mode: 'bot' })).toMatchObject({ status: 'waiting' })
}, 60_000)

test.concurrent("a player's coming and going while the database is away is written when it is back", async () => {
  await using outages = await Outages.start()
  await using rally = await onDatabase(outages)
  const [goer, watcher] = [await newcomer(rally), await newcomer(rally)]
  const match = await create(goer.client)
  const follower = await follow(watcher.client, match.id)
  await outages.begin()
  await goer.drop()
  await outages.end()
  await follower.until(({ players }) => players[0]?.connected === false, 15_000)
  await goer.comeBack()
  await follower.until(({ players }) => players[0]?.connected === true)
}, 60_000)

test.concurrent('results that cannot be written delay no other match', async () => {
  await using rally = await startQuickRally({}, { config: { logLevel: 'silent' } })
  const { transaction } = await rally.database.open({ transactionTimeoutMs: 60_000 })
  const { client } = await newcomer(rally)
  // More than the pool has places.
  const decided = await Promise.all(
    Array.from({ length: 6 }, () => startLive(client, { mode: 'local', ...CONNECT_FOUR })),
  )
  const [locked, released] = [new AbortController(), new AbortController()]
  const isLocked = once(locked.signal, 'abort')
  const holding = transaction(async ({ sql }) => {
    await sql.rows(LOCK, [decided.map(({ latest }) => latest.id)])
    locked.abort()
    await once(released.signal, 'abort')
  })
  await isLocked
  for (const { latest } of decided) await playConnectFour([client], latest.id)
  await startLive(client, { mode: 'bot' })
  for (const follower of decided) expect(follower.catchUp().status).toBe('live')
  released.abort()
  await holding
  for (const follower of decided) expect(await follower.over(20_000)).toMatchObject({ status: 'finished' })
}, 60_000)

test.concurrent('a server stops in time while its database is away', async () => {
  await using outages = await Outages.start()
  const rally = await onDatabase(outages)
  const { follower } = await seatTwo(rally)
  await follower.live()
  await outages.begin()
  const begunAt = Date.now()
  await rally.stop()
  expect(Date.now() - begunAt).toBeLessThan(9_000)
  await outages.end()
}, 60_000)

test.concurrent('a server that stops aborts its live matches and leaves waiting ones alone', async () => {
  await using rally = await startRally()
  const database = await rally.database.open()
  const { first, follower, matchId } = await seatTwo(rally)
  const waiting = await create(first.client)
  await follower.live(10_000)
  await rally.app.stop()
  expect(await first.client.closed).toMatchObject({ code: 4000 })
  const rows = await database.db.match.findMany({
    where: { id: { in: [matchId, waiting.id] } },
    include: { seats: true },
  })
  expect(rows.find(({ id }) => id === matchId)).toMatchObject({ status: 'aborted', endReason: 'node-left' })
  expect(rows.find(({ id }) => id === waiting.id)).toMatchObject({
    status: 'waiting',
    seats: [{ connected: false }],
  })
  expect(await database.db.node.count()).toBe(0)
})
