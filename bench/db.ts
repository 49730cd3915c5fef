// CPU that the server takes for what needs the database, against the same job written by hand: uWebSockets.js, JSON, zod
// and pg with the same statements. The servers have a core, the generator and Postgres the other.
//
//   npm run bench:db                       everything
//   npm run bench:db -- --without-peer     Rally only
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts'
import { Asker } from './db/asker.ts'
import { createMatches, createUsers, productionOn, type User } from './db/scene.ts'
import { pinSelf, type ServerProcess, startServer } from './support/server-process.ts'

const ROUNDS = 3
/** Sockets at once, each with one request under way. */
const READERS = 32
const READS = 200
const WRITERS = 16
/** As many as the limit of `matches.create` lets one user make in a minute. */
const WRITES = 30
const WRITER_GROUPS = 3
const MATCHES = 1_000
const UPGRADES = 2_000
const RETURNING = 10_000
const CONNECTING = 200

const { values } = parseArgs({ options: { 'without-peer': { type: 'boolean', default: false } } })
const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const median = (figures: readonly number[]) =>
  [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN
const say = (line: string) => process.stdout.write(`${line}\n`)
const Created = z.object({ id: z.string() })

/** One kind of request. `of` makes the data of the `n`th request of a socket. */
interface Kind {
  readonly type: string
  readonly of: (asker: Asker, n: number) => unknown
}

let places = 0

/** Runs `work` for each item, so many at once. */
async function each<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const run = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) results.push(await work(item))
  }
  await Promise.all(Array.from({ length: atOnce }, run))
  return results
}

const connect = (server: ServerProcess, users: readonly User[]) =>
  each(users, CONNECTING, (user) => Asker.open(server.port, user, places++))

/** CPU of the server in µs while `work` runs. */
async function cpuOf(server: ServerProcess, work: () => Promise<unknown>): Promise<number> {
  const before = await server.usage()
  await work()
  return (await server.usage()).cpuMicros - before.cpuMicros
}

/** CPU µs a request, all sockets asking at once, one request after another. */
async function measure(server: ServerProcess, askers: readonly Asker[], times: number, kind: Kind): Promise<number> {
  const cpu = await cpuOf(server, () =>
    Promise.all(
      askers.map(async (asker) => {
        for (let n = 0; n < times; n++) await asker.ask(kind.type, kind.of(asker, n))
      }),
    ),
  )
  return cpu / (askers.length * times)
}

type Figures = Record<'ping' | 'me' | 'getOne' | 'create' | 'leave', number>

/** One round on one server. Each has users of its own, as methods limit what one user may ask. */
async function round(
  server: ServerProcess,
  env: Record<string, string>,
  matchIds: readonly string[],
): Promise<Figures> {
  const readers = await connect(server, await createUsers(env, READERS))
  const anyMatch = (_: Asker, n: number) => ({ matchId: matchIds[(n * 7) % matchIds.length] })
  const ping = await measure(server, readers, READS, { type: 'rpc.ping', of: () => ({}) })
  const me = await measure(server, readers, READS, { type: 'auth.me', of: () => ({}) })
  const getOne = await measure(server, readers, READS, { type: 'matches.getOne', of: anyMatch })
  for (const reader of readers) reader.close()
  const creating: number[] = []
  const leaving: number[] = []
  for (let group = 0; group < WRITER_GROUPS; group++) {
    const writers = await connect(server, await createUsers(env, WRITERS))
    const made = new Map<Asker, string[]>()
    creating.push(
      (await cpuOf(server, () =>
        each(writers, WRITERS, async (writer) => {
          const ids: string[] = []
          const data = { game: 'pong', mode: 'casual', visibility: 'private' }
          for (let n = 0; n < WRITES; n++) ids.push(Created.parse(await writer.ask('matches.create', data)).id)
          made.set(writer, ids)
        }),
      )) /
        (WRITERS * WRITES),
    )
    const own = (writer: Asker, n: number) => ({ matchId: made.get(writer)?.[n] })
    leaving.push(await measure(server, writers, WRITES, { type: 'matches.leave', of: own }))
    for (const writer of writers) writer.close()
  }
  return { ping, me, getOne, create: median(creating), leave: median(leaving) }
}

const dataDir = mkdtempSync(join(tmpdir(), 'rally-bench-'))
const pinned = pinSelf(1)
const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }
const postgres = await startEmbeddedPostgres({ dataDir, log, durable: false })
const env = productionOn(postgres.url, dataDir)
const stopping: (() => Promise<void>)[] = [() => postgres.stop()]
const start = async (file: string) => {
  const server = await startServer(path(file), 0, env)
  stopping.unshift(() => server.stop())
  return server
}
try {
  const rally = await start('db/rally-server.ts')
  const hosts = await createUsers(env, MATCHES)
  const matchIds = await createMatches(env, hosts)
  const raw = values['without-peer'] ? undefined : await start('db/raw-server.ts')
  const rounds: { rally: Figures; raw: Figures | undefined }[] = []
  // The first is a warm-up.
  for (let n = 0; n <= ROUNDS; n++) {
    const figures = {
      rally: await round(rally, env, matchIds),
      raw: raw && (await round(raw, env, matchIds)),
    }
    if (n > 0) rounds.push(figures)
  }
  say(
    `Node ${process.version}, median of ${ROUNDS} rounds, ${READERS} sockets reading, ${WRITERS} writing, a request each under way` +
      (pinned ? ', server on a core of its own' : ', not pinned to cores (no taskset)'),
  )
  say('CPU µs a request       rally   by hand   ratio')
  const pings = median(rounds.map((figures) => figures.rally.ping))
  for (const [name, type] of [
    ['ping', 'rpc.ping'],
    ['me', 'auth.me'],
    ['getOne', 'matches.getOne'],
    ['create', 'matches.create'],
    ['leave', 'matches.leave'],
  ] as const) {
    const own = median(rounds.map((figures) => figures.rally[name]))
    const peer = median(rounds.map((figures) => figures.raw?.[name] ?? Number.NaN))
    const compared = name === 'me' ? `${(own / pings).toFixed(2)} of rpc.ping` : (own / peer).toFixed(2)
    say(`${type.padEnd(18)} ${own.toFixed(1).padStart(9)} ${peer.toFixed(1).padStart(9)}   ${compared}`)
  }

  const comers = await createUsers(env, UPGRADES * (ROUNDS + 1))
  const upgrades: number[] = []
  for (let n = 0; n <= ROUNDS; n++) {
    let sockets: Asker[] = []
    const cpu = await cpuOf(rally, async () => {
      sockets = await connect(rally, comers.slice(n * UPGRADES, (n + 1) * UPGRADES))
    })
    if (n > 0) upgrades.push(cpu / UPGRADES)
    for (const socket of sockets) socket.close()
  }
  say(`an upgrade with a session: ${median(upgrades).toFixed(0)} µs`)

  const returning = await createUsers(env, RETURNING)
  await rally.stop()
  const again = await start('db/rally-server.ts')
  const began = performance.now()
  const cpu = await cpuOf(again, () =>
    each(returning, CONNECTING, async (user) => {
      const place = places++
      const asker = await Asker.open(again.port, user, place)
      await asker.ask('matches.onUpdate', { matchId: matchIds[place % matchIds.length] })
    }),
  )
  say(
    `${RETURNING} sockets with a session and a subscription each, back after a restart: ` +
      `${(cpu / 1e6).toFixed(2)} s of server CPU, ${((performance.now() - began) / 1000).toFixed(2)} s`,
  )
} finally {
  for (const stop of stopping) await stop()
  rmSync(dataDir, { recursive: true, force: true })
}
