import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { connect, type Message, type TestClient } from '../support/client.ts'
import { enter, startRally } from '../support/server.ts'

const FRAMES = 100_000
const BATCH = 250
/** Seeded, so that a failure can be had again. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_101)

/** mulberry32 (Tommy Ettinger): numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = generator(SEED)
const below = (max: number) => Math.floor(random() * max)
const pick = <T>(items: readonly T[], fallback: T): T => items[below(items.length)] ?? fallback

const hostile: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1e308,
  -0.5,
  2 ** 53,
  '',
  'a',
  'x'.repeat(300),
  '\u0000',
  '\ud800',
  "'; DROP TABLE users; --",
  '__proto__',
  '00000000-0000-0000-0000-000000000000',
  '../../etc/passwd',
  '👍'.repeat(50),
  [],
  {},
  [[[[]]]],
  { a: { b: { c: {} } } },
  ['pong', 1, null],
]

/** Data that the modules take, or nearly: the fuzzer starts from these. */
function samples(matchId: string): readonly unknown[] {
  return [
    {},
    { username: `u${below(1000)}` },
    { code: `${below(1_000_000)}` },
    { username: 'ada', recoveryCode: 'aaaa-bbbb-cccc' },
    { sessionId: 'x' },
    { game: 'pong', mode: pick(['casual', 'local', 'bot', 'ranked'], 'bot'), options: { pointsToWin: below(30) } },
    { game: 'connect-four', mode: 'bot', visibility: 'private' },
    { matchId },
    { matchId, since: below(5) },
    { code: 'ABCDEF' },
    { matchId, mode: pick(['state', 'inputs'], 'state'), rate: below(80) },
    { matchId, input: { move: below(3) - 1 }, seat: below(3), tick: below(1000) },
    { status: 'live', limit: below(200), cursor: 'x' },
    { channel: `matches.onUpdate/${matchId}` },
  ]
}

/** Puts something hostile somewhere into `value`. */
function spoil(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.15) return pick(hostile, null)
  if (Array.isArray(value)) return [...value, spoil(null)]
  const keys = Object.keys(value)
  const key =
    random() < 0.2 ? pick(['extra', '__proto__', 'constructor', 'toString', ''], 'extra') : pick(keys, 'extra')
  return Object.fromEntries([...Object.entries(value), [key, spoil(Reflect.get(value, key))]])
}

function scramble(text: string): string {
  const characters = [...text]
  for (let i = below(4) + 1; i > 0; i--) {
    const at = below(characters.length)
    const by = pick(['', '"', '{', '}', '[', ']', ',', ':', '\\', '\\u0000', '9', '-', '\u2028'], '')
    characters.splice(at, below(3), by)
  }
  return characters.join('')
}

function frame(types: readonly string[], matchId: string): string | Uint8Array {
  const type = pick(types, 'rpc.ping')
  const data = pick(samples(matchId), {})
  const envelope = { type, data, eid: `f${below(1e9)}`, ts: Date.now() }
  const kind = random()
  if (kind < 0.3) return JSON.stringify({ ...envelope, data: spoil(data) })
  if (kind < 0.45) return JSON.stringify(spoil(envelope))
  if (kind < 0.7) return scramble(JSON.stringify(envelope))
  if (kind < 0.8) return JSON.stringify(envelope)
  if (kind < 0.85) return JSON.stringify(envelope).slice(0, below(60))
  if (kind < 0.9) return '[{"a":'.repeat(below(3000))
  const bytes = Uint8Array.from({ length: below(200) }, () => below(256))
  return kind < 0.95 ? bytes : Buffer.from(bytes).toString('latin1')
}

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Bytes that are really in use. */
async function heapBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(setImmediate)
  }
  return process.memoryUsage().heapUsed
}

test(`${FRAMES} fuzzed frames: the process lives, nothing is INTERNAL, memory settles`, {
  timeout: 240_000,
}, async () => {
  await using rally = await startRally({
    // Enough to get deep into signing in, after which the rest of the flood costs nothing.
    config: { authPerIp: 1000 },
    limits: { requestsPerSecond: 1e6, requestsBurst: 1e6, inputsPerSecond: 1e6, requestsInFlight: 1000 },
  })
  const { player } = await enter(rally.url, 'ada')
  const identities = [{ cookie: player.cookie }, {}, { cookie: player.cookie }, {}]
  const clients = await Promise.all(identities.map((identity) => connect(rally.url, identity)))
  const [first] = clients
  if (!first) throw new Error('no client')
  const match = await first.call<{ id: string }>('matches.create', { game: 'pong', mode: 'casual' })
  // The one that ends the own session would end the test's.
  const types = [...rally.app.dispatcher.entries.keys()].filter((type) => type !== 'auth.logout')
  expect(types.length).toBeGreaterThan(15)

  const answers = new Map<string, number>()
  const look = (client: TestClient) => {
    for (const message of client.inbox.drain()) count(message)
  }
  const count = ({ error = 'none', type }: Message) => {
    answers.set(error, (answers.get(error) ?? 0) + 1)
    if (error === 'INTERNAL') throw new Error(`${type} answered INTERNAL; FUZZ_SEED=${SEED}`)
  }
  const heaps: number[] = []
  for (let sent = 0; sent < FRAMES; sent += BATCH) {
    const index = (sent / BATCH) % clients.length
    let client = clients[index]
    if (!client || client.socket.readyState !== client.socket.OPEN) {
      client = await connect(rally.url, identities[index])
      clients[index] = client
    }
    for (let i = 0; i < BATCH; i++) client.send(frame(types, match.id))
    // Everything before it is read, if not answered, once this is; a frame may also have ended the connection.
    await Promise.race([client.request('rpc.ping'), client.closed]).catch(() => client.closed)
    while (rally.app.dispatcher.inFlight > 50) await new Promise((resolve) => setTimeout(resolve, 5))
    look(client)
    if ((sent + BATCH) % (FRAMES / 5) === 0) heaps.push(await heapBytes())
  }
  await expect.poll(() => rally.app.dispatcher.inFlight, { timeout: 15_000 }).toBe(0)
  for (const client of clients) {
    look(client)
    await client.close()
  }
  await using after = await connect(rally.url, { cookie: player.cookie })
  expect(await after.call('rpc.ping')).toEqual({})
  expect(answers.get('BAD_ENVELOPE')).toBeGreaterThan(FRAMES / 20)
  expect(answers.get('VALIDATION_FAILED')).toBeGreaterThan(FRAMES / 20)
  const [, second = 0, , , last = 0] = heaps
  expect(last - second, heaps.join(', ')).toBeLessThan(24 * 1024 * 1024)
})
