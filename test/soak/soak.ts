// Uses a server for a long time, and looks at what stays of it: `npm run soak -- --minutes 20`. In waves of visitors people
// sign in, play, watch, are cut off, come back and leave. Between two waves nobody is there, and the memory is measured.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Player } from '../support/server.ts'
import { type Memory, SoakServer } from './server-process.ts'
import { trendOf } from './trend.ts'
import {
  arrive,
  disturb,
  playAlone,
  playConnectFourTogether,
  playPongTogether,
  signInAndOut,
  Visits,
} from './visitors.ts'

/** What the memory may grow by in an hour. */
const MAX_MIB_PER_HOUR = 2
/** Shorter runs say nothing about an hour. */
const TREND_MINUTES = 15
/** Until then it grows: answers of writes are remembered for ten minutes. */
const WARM_UP_MINUTES = 10.5
const PLAYERS = 14
/** The visits that may fail, because the machine stalls. */
const MAX_FAILED = 0.02
const EMPTY_MS = 30_000
/** Longer than anything is remembered. */
const SKIPPED_MS = 48 * 3_600_000
/** The slowest sweeps of the server run once a minute. */
const SWEPT_MS = 75_000
/** What stays, within bounds. */
const KEPT: Readonly<Record<string, string>> = {
  'src/db/pool.ts': 'connections, up to the size of the pool',
  'src/engine/clock.ts': 'the phases of each tick rate',
  'src/modules/auth/limits/fair-queue.ts': 'the groups that asked last, until somebody asks ten seconds later',
  'src/modules/auth/bounded-map.ts': 'what a bounded number of the last callers did',
  'src/rpc/request-stats.ts': 'how many requests failed with each code',
  'src/server/socket-endpoint.ts': 'how many sockets were closed with each code',
}
const MIB = 1024 * 1024
const MINUTE_MS = 60_000

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error('--minutes has to be a number above 0')

const problems: string[] = []
const failures: string[] = []
const samples: (Memory & { readonly atMinutes: number })[] = []
const visits = new Visits()
let attempts = 0
let isInterrupted = false
process.once('SIGINT', () => {
  isInterrupted = true
})

await using server = await SoakServer.start()
const { url } = server
const players: Player[] = []
for (let index = 0; index < PLAYERS; index++) players.push(await arrive(url, `player_${index}`, visits))

const begunAt = performance.now()
const elapsedMinutes = () => (performance.now() - begunAt) / MINUTE_MS
for (let wave = 0; elapsedMinutes() < minutes && !isInterrupted; wave++) {
  await visit(wave)
  await untilEmpty(wave)
  const memory = await server.memory()
  samples.push({ ...memory, atMinutes: elapsedMinutes() })
  const shown = [memory.heldBytes, memory.residentBytes].map((bytes) => (bytes / MIB).toFixed(2))
  console.log(`${elapsedMinutes().toFixed(2)} min, wave ${wave + 1}: ${shown[0]} MiB held, ${shown[1]} MiB resident`)
}

await server.skip(SKIPPED_MS)
for (const { made, size } of await untilSwept()) problems.push(`${size} entries are left in ${made}`)
const code = await server.stop()
if (code !== 0) problems.push(`the server ended with ${code}`)
for (const line of server.errors) problems.push(`the server logged: ${line}`)
if (failures.length > MAX_FAILED * attempts) problems.push(`${failures.length} of ${attempts} visits failed`)
checkTrend()
report()
process.exitCode = problems.length > 0 ? 1 : 0

/** One wave: everybody comes, and everybody goes. */
async function visit(wave: number): Promise<void> {
  const player = (seat: number): Player => {
    const found = players[(wave + seat) % PLAYERS]
    if (!found) throw new Error('too few players')
    return found
  }
  const newcomer = arrive(url, `newcomer_${wave}`, visits).then((arrived) => {
    // A code counts once. Thirteen waves later this player signs in, with another one.
    players[wave % PLAYERS] = arrived
  })
  await Promise.all(
    [
      playPongTogether(url, [player(1), player(2)], visits),
      playPongTogether(url, [player(3), player(4)], visits),
      playConnectFourTogether(url, [player(5), player(6)], visits),
      playConnectFourTogether(url, [player(7), player(8)], visits),
      playAlone(url, player(9), true, visits),
      playAlone(url, player(10), false, visits),
      wave >= PLAYERS ? signInAndOut(url, player(1), visits) : undefined,
      disturb(url, visits),
      newcomer,
    ].map(async (work) => {
      attempts++
      await work?.catch((error: unknown) => failures.push(String(error)))
    }),
  )
}

async function untilEmpty(wave: number): Promise<void> {
  const until = performance.now() + EMPTY_MS
  for (;;) {
    const { sockets, matches } = await server.load()
    if (sockets === 0 && matches === 0) return
    if (performance.now() > until) {
      problems.push(`after wave ${wave + 1} there were ${sockets} sockets and ${matches} matches left`)
      return
    }
    await sleep(100)
  }
}

async function untilSwept() {
  const until = performance.now() + SWEPT_MS
  for (;;) {
    const held = (await server.held()).filter(({ made }) => !Object.keys(KEPT).some((file) => made.startsWith(file)))
    if (held.length === 0 || performance.now() > until) return held
    await sleep(1_000)
  }
}

function checkTrend(): void {
  const points = samples
    .filter(({ atMinutes }) => atMinutes >= (minutes < TREND_MINUTES ? minutes / 2 : WARM_UP_MINUTES))
    .map(({ atMinutes, heldBytes }) => ({ at: atMinutes / 60, value: heldBytes / MIB }))
  if (points.length < 3) return
  const { slope, standardError } = trendOf(points)
  console.log(`figure: memory ${slope.toFixed(2)} MiB/hour, ±${standardError.toFixed(2)}, of ${points.length} samples`)
  if (minutes < TREND_MINUTES) console.log(`(too short for a bound: from ${TREND_MINUTES} minutes on it is checked)`)
  else if (slope > MAX_MIB_PER_HOUR) problems.push(`the memory grows by ${slope.toFixed(2)} MiB an hour`)
}

function report(): void {
  for (const [name, value] of Object.entries(visits)) console.log(`figure: ${name} ${value} times`)
  console.log(`figure: failed visits ${failures.length} of ${attempts}`)
  console.log(`figure: warnings ${server.warnings} lines`)
  for (const failure of new Set(failures)) console.log(`a visit failed: ${failure}`)
  for (const problem of problems) console.log(`PROBLEM: ${problem}`)
  console.log(problems.length > 0 ? `the soak found ${problems.length} problems` : 'the soak found no problem')
}
