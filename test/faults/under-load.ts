import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { within } from '../support/client.ts'
import type { Load, Order, Sent } from './load-generator.ts'
import { type Player, signIn, statusOf } from './player.ts'
import type { ServerProcess } from './server-process.ts'

const LOAD_MS = 5_000
const PING_EVERY_MS = 20
const SIGN_IN_EVERY_MS = 250
const READY_EVERY_MS = 200
/** The addresses of one machine are all of 127.0.0.0/8. */
const LOAD_ADDRESS = '127.0.6.6'
const OPERATOR = '127.0.9.9'

/** What others noticed while the load lasted. Times in milliseconds. */
export interface Noticed {
  readonly pingP99Ms: number
  readonly signInP99Ms: number
  readonly signIns: number
  readonly readyStatuses: readonly number[]
  readonly skippedTicks: number
  readonly peakMemoryBytes: number
  readonly sent: Sent
}

/**
 * Loads the server, and lives on it meanwhile: `pinger` asks for a sign of life all the time, and each of `players`
 * signs in once.
 */
export async function underLoad(
  server: ServerProcess,
  load: Load,
  pinger: { ping(): Promise<unknown> },
  players: readonly Omit<Player, 'cookie'>[],
): Promise<Noticed> {
  const skippedBefore = await server.metric('rally_skipped_ticks_total')
  const pings: number[] = []
  const signIns: number[] = []
  const readyStatuses: number[] = []
  let peakMemoryBytes = 0
  const until = performance.now() + LOAD_MS
  const waiting = [...players]

  const loading = runLoadGenerator({ port: server.port, from: LOAD_ADDRESS, load, ms: LOAD_MS })
  await Promise.all([
    every(PING_EVERY_MS, until, async () => pings.push(await timed(() => pinger.ping()))),
    every(SIGN_IN_EVERY_MS, until, async () => {
      const player = waiting.shift()
      if (!player) return
      signIns.push(
        await timed(async () => {
          await using _ = await signIn(server.url, player)
        }),
      )
    }),
    every(READY_EVERY_MS, until, async () => {
      peakMemoryBytes = Math.max(peakMemoryBytes, server.residentMemory())
      readyStatuses.push(await statusOf(`${server.url}/readyz`, OPERATOR))
    }),
  ])
  const sent = await loading
  return {
    pingP99Ms: quantile(pings, 0.99),
    signInP99Ms: quantile(signIns, 0.99),
    signIns: signIns.length,
    readyStatuses: [...new Set(readyStatuses)],
    skippedTicks: (await server.metric('rally_skipped_ticks_total')) - skippedBefore,
    peakMemoryBytes,
    sent,
  }
}

export async function runLoadGenerator(order: Order): Promise<Sent> {
  const child = fork(fileURLToPath(new URL('./load-generator.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] })
  try {
    const sent = new Promise<Sent>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Sent))
      child.once('exit', (code) => reject(new Error(`the load generator ended with ${code}`)))
    })
    child.send(order)
    return await within(sent, 'the end of the load', order.ms + 20_000)
  } finally {
    child.kill('SIGKILL')
  }
}

/** Does `work` again and again until `until`; each begins at its time, or when the one before is done. */
export async function every(ms: number, until: number, work: () => Promise<unknown>): Promise<void> {
  for (let due = performance.now(); due < until; due = Math.max(due + ms, performance.now())) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
    await work()
  }
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
}
