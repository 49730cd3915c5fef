// CPU that the server takes for one validated request, against the same job written by hand on uWebSockets.js.
// Server and generator have a core each; the two servers are measured in turn, with one request in flight on each socket
// and with several, and the medians are compared.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientFrame, RawClient } from './support/raw-client.ts'
import { pinSelf, type ServerProcess, startServer } from './support/server-process.ts'

const CONNECTIONS = 32
const IN_FLIGHT = [1, 8]
const ROUNDS = 6
const WARM_UP_MS = 2_500
const ROUND_MS = 1_000

const request = {
  type: 'bench.say',
  data: {
    roomId: 'f3a1c2de-5b0d-4c6a-9a51-7d1f0f6f4b11',
    text: 'Well played! Same time tomorrow, best of five?',
    mentions: ['alice', 'bob'],
    position: { x: 412.5, y: 96.25 },
  },
  ts: 1767225600000,
}

interface Measured {
  /** Of the server's process, a request. */
  readonly cpuMicros: number
  readonly perSecond: number
}

/** Keeps `inFlight` requests under way on every connection for `ms`. */
async function measure(server: ServerProcess, inFlight: number, ms: number): Promise<Measured> {
  let answers = 0
  let running = true
  const clients: RawClient[] = []
  for (let i = 0; i < CONNECTIONS; i++) {
    const frame = clientFrame(
      JSON.stringify({ ...request, eid: `9f0c2b5e-1f3a-4c55-8d7e-${String(i).padStart(12, '0')}` }),
    )
    const batch = Buffer.concat(Array.from({ length: inFlight }, () => frame))
    let missing = 0
    let started = false
    const client = await RawClient.open(server.port, (count) => {
      if (!started) return
      answers += count
      missing -= count
      if (missing <= 0 && running) {
        missing += inFlight
        client.write(batch)
      }
    })
    clients.push(client)
    // The welcome frame, where there is one, has come by then.
    setTimeout(() => {
      started = true
      missing = inFlight
      client.write(batch)
    }, 100)
  }
  await pause(300)
  const [before, answersBefore, startedAt] = [await server.usage(), answers, performance.now()]
  await pause(ms)
  const [after, answersAfter, endedAt] = [await server.usage(), answers, performance.now()]
  running = false
  for (const client of clients) client.close()
  const count = answersAfter - answersBefore
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / count,
    perSecond: (count / (endedAt - startedAt)) * 1000,
  }
}

function report(inFlight: number, rounds: readonly { rally: Measured; raw: Measured }[]): string[] {
  const line = (name: string, values: readonly Measured[]) =>
    `  ${name.padEnd(26)} ${median(values.map((v) => v.cpuMicros)).toFixed(2)} µs CPU a request, ` +
    `${Math.round(median(values.map((v) => v.perSecond)))} requests/s`
  const ratios = rounds.map((round) => round.rally.cpuMicros / round.raw.cpuMicros)
  const least = (values: readonly Measured[]) => Math.min(...values.map((v) => v.cpuMicros))
  const undisturbed = least(rounds.map((round) => round.rally)) / least(rounds.map((round) => round.raw))
  const between = `rounds from ${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`
  return [
    `${inFlight} in flight on each`,
    line(
      'by hand (uWS, JSON, zod)',
      rounds.map((round) => round.raw),
    ),
    line(
      'rally',
      rounds.map((round) => round.rally),
    ),
    `  ratio ${median(ratios).toFixed(3)} (${between}), of the least disturbed rounds ${undisturbed.toFixed(3)}`,
  ]
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))

const dataDir = mkdtempSync(join(tmpdir(), 'rally-bench-'))
const pinned = pinSelf(1)
const rally = await startServer(path('rpc/rally-server.ts'), 0, { BENCH_DATA_DIR: dataDir })
const raw = await startServer(path('rpc/raw-server.ts'), 0)
try {
  const out = [
    `Node ${process.version}, ${CONNECTIONS} sockets, median of ${ROUNDS} rounds` +
      (pinned ? ', server and generator on a core each' : ', not pinned to cores (no taskset)'),
  ]
  for (const inFlight of IN_FLIGHT) {
    await measure(rally, inFlight, WARM_UP_MS)
    await measure(raw, inFlight, WARM_UP_MS)
    const rounds: { rally: Measured; raw: Measured }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        rally: await measure(rally, inFlight, ROUND_MS),
        raw: await measure(raw, inFlight, ROUND_MS),
      })
    }
    out.push(...report(inFlight, rounds))
  }
  process.stdout.write(`${out.join('\n')}\n`)
} finally {
  await Promise.all([rally.stop(), raw.stop()])
  rmSync(dataDir, { recursive: true, force: true })
}
