import { describe, expect, test } from 'vitest'
import { games } from '../../src/games/index.ts'
import { connect } from '../support/client.ts'
import { targets } from './catalogue.ts'
import { SEED, startFuzzedWorld, withErrorsOf } from './fuzzed-world.ts'
import { close, Fuzzer } from './fuzzer.ts'
import { Pools } from './plausible.ts'
import { Random } from './random.ts'
import { sendRawBytes } from './raw-bytes.ts'
import type { Usage } from './server-process.ts'
import { Verdicts } from './verdicts.ts'

/** `npm run fuzz` sends more of them. */
const ALL_FRAMES = Number(process.env.FUZZ_FRAMES ?? 20_000)
/** One half each. */
const SECOND_FACTORS = ['none', 'passkey']
const FRAMES = ALL_FRAMES / SECOND_FACTORS.length
const CONNECTIONS = FRAMES / 200
const users = Array.from({ length: 18 }, (_, index) => `fuzz_${index}`)
const ofAdmins = targets.filter(({ type }) => type.startsWith('admin.'))
const SIGNED_IN_SOCKETS = 8
const SOCKETS = 12
/** In each round other users have the sockets: what one user may do in a minute is bounded. */
const ROUNDS = 6
const MiB = 1024 * 1024

/** Most are browsers, the last two of those with a user are programs. */
function credentialOf(index: number) {
  if (index < SIGNED_IN_SOCKETS - 2) return 'cookie'
  return index === SIGNED_IN_SOCKETS - 1 ? 'bearer' : 'key'
}

describe(`with FUZZ_SEED=${SEED}`, () => {
  const title = `${FRAMES} mutated frames leave a server as it was, whose second factor is %s`
  test.for(SECOND_FACTORS)(title, { timeout: 60_000 + 6 * FRAMES }, async (secondFactor) => {
    await using world = await startFuzzedWorld(users, { SECOND_FACTOR: secondFactor })
    const { server } = world
    await withErrorsOf(server, async () => {
      const verdicts = new Verdicts()
      const pools = new Pools()
      for (const name of users) pools.add('username', name)
      for (const name of Object.keys(games)) pools.add('game', name)
      const userOf = (round: number, index: number) =>
        index === 0 ? users[0] : users[1 + ((round * SIGNED_IN_SOCKETS + index) % (users.length - 2))]
      const sendRound = async (round: number) => {
        const sockets = await Promise.all(
          Array.from({ length: SOCKETS }, (_, index) => {
            const username = index < SIGNED_IN_SOCKETS ? userOf(round, index) : undefined
            const fuzzer = new Fuzzer({
              url: server.url,
              localAddress: `127.0.1.${1 + index}`,
              seed: SEED + round * 1_000 + index,
              pools,
              verdicts,
              // They are for the first user alone, who draws each of them seldom.
              first: username === users[0] ? ofAdmins : [],
              identity: async () => (username === undefined ? null : world.identityOf(username, credentialOf(index))),
            })
            return fuzzer.run(Math.ceil(FRAMES / ROUNDS / SOCKETS))
          }),
        )
        // The slow answers come too.
        await settled(server.usage)
        await Promise.all(sockets.map(close))
      }
      const usages: Usage[] = []
      const startedAt = performance.now()
      for (let round = 0; round < ROUNDS; round++) {
        await sendRound(round)
        usages.push(await settled(server.usage))
      }
      const seconds = (performance.now() - startedAt) / 1000
      const random = new Random(SEED)
      for (let i = 0; i < CONNECTIONS; i += 10) {
        await Promise.all(Array.from({ length: 10 }, () => sendRawBytes(server.port, random)))
      }

      const frames = [...verdicts.kinds.values()].reduce((sum, count) => sum + count, 0)
      console.info(
        `${frames} frames in ${seconds.toFixed(1)} s, ${Math.round(frames / seconds)} a second, second factor ${secondFactor}, FUZZ_SEED=${SEED}\n`,
        Object.fromEntries(verdicts.kinds),
        Object.fromEntries(verdicts.answers),
        `closed: ${JSON.stringify(Object.fromEntries(verdicts.closings))}, frames received: ${verdicts.received}, upgrades refused: ${verdicts.refusals}`,
        `succeeded: ${[...verdicts.succeeded].sort().join(' ')}\n`,
        usages.map(({ heapUsed, rss }) => `heap ${mib(heapUsed)}, rss ${mib(rss)}`).join('; '),
      )
      expect(frames).toBeGreaterThanOrEqual(FRAMES)
      expect(verdicts.complaints).toEqual([])
      expect(server.errors).toEqual([])
      expect(server.exit).toBeNull()
      // The frames reached the handlers: of every method and subscription, and many were accepted.
      expect(targets.map(({ type }) => type).filter((type) => !verdicts.handled.has(type))).toEqual([])
      expect(verdicts.count('ok')).toBeGreaterThan(FRAMES / 20)
      for (const code of ['BAD_ENVELOPE', 'VALIDATION_FAILED', 'UNAUTHENTICATED', 'UNKNOWN_TYPE', 'NOT_FOUND']) {
        expect(verdicts.count(code), code).toBeGreaterThan(FRAMES / 500)
      }

      const [, warm] = usages
      const last = usages.at(-1)
      if (!warm || !last) throw new Error('the memory was not measured')
      expect(mib(last.heapUsed - warm.heapUsed)).toBeLessThan(24)
      expect(mib(last.rss - warm.rss)).toBeLessThan(96)

      const { Cookie: cookie = '' } = await world.identityOf(users.at(-1) ?? '')
      await playNormally(server.url, cookie)
      expect(server.errors).toEqual([])
      expect(await server.stop()).toBe(0)
    })
  })
})

/** The memory once no request is under way. */
async function settled(usage: () => Promise<Usage>): Promise<Usage> {
  await expect.poll(async () => (await usage()).inFlight, { timeout: 30_000, interval: 100 }).toBe(0)
  return usage()
}

/** Pings and plays a match against the bot, as any client does. */
async function playNormally(url: string, cookie: string): Promise<void> {
  await using person = await connect(url, { cookie })
  expect(await person.call('rpc.ping')).toEqual({})
  // Otherwise the first seat is drawn, and a move out of turn has no effect.
  const own = { game: 'connect-four', mode: 'bot', options: { first: 0 } }
  const { id } = await person.call<{ id: string }>('matches.create', own)
  const updates = await person.subscribe<{ status: string }>('matches.onUpdate', { matchId: id })
  await updates.events.next(({ data }) => data.status === 'live', 10_000)
  const frames = await person.subscribe<unknown, { state: { discs: number } }>('live.onState', { matchId: id })
  for (let column = 0; column < 7; column++) {
    person.send(
      JSON.stringify({ type: 'live.input', data: { matchId: id, input: { column } }, eid: `${column}`, ts: 0 }),
    )
  }
  await frames.events.next(({ data }) => data.state.discs >= 2, 10_000)
}

function mib(bytes: number): number {
  return Math.round((bytes / MiB) * 10) / 10
}
