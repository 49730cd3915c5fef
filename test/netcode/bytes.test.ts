import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PongState } from '../../src/games/pong/index.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { type Player, type Rally, register, startRally } from '../support/server.ts'
import { clientOf, createPong, patient, person, playPong, screen, untilStatus } from './players.ts'
import { WireCount } from './wire-count.ts'

const SECONDS = 10

let rally: Rally
let players: Player[]

beforeAll(async () => {
  rally = await startRally({ config: patient })
  players = await Promise.all(['ada', 'ben', 'cem', 'dee'].map((name) => register(rally.url, name)))
})
afterAll(() => rally?.stop())

test('a player of a match at 60 Hz costs less than 100 bytes a second in mode inputs', async () => {
  const [inputs, state] = await Promise.all([measureInputs(), measureState()])
  for (const [mode, { perSecond, pingPerSecond, changes }] of [
    ['inputs', inputs],
    ['state', state],
  ] as const) {
    process.stdout.write(
      `bytes a second for one player, mode ${mode}: ${perSecond.toFixed(1)} down and up with WebSocket headers, ` +
        `pings ${pingPerSecond.toFixed(1)} besides; ${changes.toFixed(1)} changes a second a player\n`,
    )
  }
  expect(inputs.changes).toBeGreaterThan(3)
  expect(inputs.perSecond).toBeLessThan(100)
  // One every 15 seconds; a window of ten may see two.
  expect(inputs.pingPerSecond).toBeLessThan(40)
  expect(inputs.perSecond).toBeLessThan(state.perSecond / 50)
}, 60_000)

/** Two clients before proxies of their own, the first one's counted, in a match that lasts. */
async function setUp(ofTwo: readonly (Player | undefined)[]) {
  const [one, other] = ofTwo
  if (!one || !other) throw new Error('nobody there')
  const proxies = [await startFaultProxy(rally.app.port), await startFaultProxy(rally.app.port)] as const
  const count = new WireCount(proxies[0])
  const clients = [clientOf(proxies[0].url, one), clientOf(proxies[1].url, other)] as const
  const match = await createPong(clients[0], clients[1], 21)
  // A connection begins with a burst of five pings, which says nothing of what it costs to stay.
  await expect.poll(() => count.frames.get('down rpc.ping') ?? 0, { timeout: 5_000 }).toBeGreaterThanOrEqual(5)
  return {
    clients,
    match,
    count,
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close()
      await Promise.all(proxies.map((proxy) => proxy.close()))
    },
  }
}

function figuresOf(count: WireCount, changes: number) {
  const isPing = (name: string) => name === 'rpc.ping'
  return {
    perSecond: count.sum((_, name) => !isPing(name)) / SECONDS,
    pingPerSecond: count.sum((_, name) => isPing(name)) / SECONDS,
    changes: changes / SECONDS,
  }
}

function whileMeasuring(count: WireCount): Promise<void> {
  count.reset()
  return new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))
}

async function measureInputs() {
  await using set = await setUp(players.slice(0, 2))
  const plays = set.clients.map((client) => playPong(client, set.match))
  await Promise.all(plays.map((play) => untilStatus(play, 'live')))
  let changes = 0
  const measuring = whileMeasuring(set.count)
  await Promise.all(
    plays.map((play, index) => {
      const decide = person(index === 0 ? 0 : 1, 4)
      return screen(measuring, (now) => {
        const input = play.state && decide(play.state, now)
        if (input && play.input(input) && index === 0) changes++
      })
    }),
  )
  const figures = figuresOf(set.count, changes)
  for (const play of plays) play.stop()
  return figures
}

async function measureState() {
  await using set = await setUp(players.slice(2))
  const { id: matchId } = set.match
  const states = set.clients.map((client) => {
    const shown: { state: PongState | null; isLive: boolean; live: Promise<void> } = {
      state: null,
      isLive: false,
      live: Promise.resolve(),
    }
    shown.live = new Promise((resolve, reject) => {
      client.live.onState(
        { matchId, mode: 'state', rate: 60 },
        {
          next(frame) {
            // The server's own, of the rules that it runs.
            shown.state = frame.state as PongState
            if (frame.status === 'live') resolve()
          },
          error: reject,
        },
      )
    })
    return shown
  })
  await Promise.all(states.map(({ live }) => live))
  let changes = 0
  const measuring = whileMeasuring(set.count)
  await Promise.all(
    set.clients.map((client, index) => {
      const decide = person(index === 0 ? 0 : 1, 4)
      return screen(measuring, (now) => {
        const { state } = states[index] ?? { state: null }
        const input = state && decide(state, now)
        if (!input) return
        void client.live.input({ matchId, input })
        if (index === 0) changes++
      })
    }),
  )
  return figuresOf(set.count, changes)
}
