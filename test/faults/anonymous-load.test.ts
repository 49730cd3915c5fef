import { afterAll, beforeAll, expect, test } from 'vitest'
import { modules } from '../../src/modules/index.ts'
import { connect, type TestClient } from '../support/client.ts'
import type { Load } from './load-generator.ts'
import { endSession, type Player, register } from './player.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { underLoad } from './under-load.ts'

const MIB = 1024 * 1024
/** How many players sign in while a load lasts. A code counts once, so each load needs players of its own. */
const SIGN_INS = 16
/**
 * What players may notice. Without the limits a ping took 8 s, no sign-in worked, and hundreds of ticks were skipped; with
 * them it is about 20 ms, 200 ms and none. The bounds leave room for a machine with two cores, of which the load takes one.
 */
const MAX_PING_MS = 250
const MAX_SIGN_IN_MS = 1_500
const MAX_SKIPPED_TICKS = 15
const FRAMES_OF_A_KIND = 50

let server: ServerProcess
let playing: TestClient
let input: NodeJS.Timeout
let matchId: string
let endedCookie: string
let players = 0

beforeAll(async () => {
  server = await startServerProcess()
  const host = await register(server.url, 'host', '127.0.2.1')
  playing = await connect(server.url, { cookie: host.cookie, localAddress: host.address })
  const bot = { game: 'pong', mode: 'bot', options: { pointsToWin: 21 } }
  matchId = (await playing.call<{ id: string }>('matches.create', bot)).id
  const updates = await playing.subscribe<{ status: string }>('matches.onUpdate', { matchId })
  await updates.events.next(({ data }) => data.status === 'live', 10_000)
  await playing.subscribe('live.onState', { matchId, rate: 10 })
  let move = 1
  input = setInterval(() => {
    move = -move
    const data = { matchId, input: { move } }
    playing.send(JSON.stringify({ type: 'live.input', data, eid: 'input', ts: Date.now() }))
  }, 100)
  const gone = await register(server.url, 'gone', '127.0.2.2')
  await endSession(server.url, gone)
  endedCookie = gone.cookie
})

afterAll(async () => {
  clearInterval(input)
  await playing?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

async function newPlayer(): Promise<Player> {
  const index = players++
  return register(server.url, `player_${index}`, `127.0.${3 + (index >> 7)}.${1 + (index & 127)}`)
}

let eids = 0
const frame = (type: string, data: unknown) => JSON.stringify({ type, data, eid: `e${++eids}`, ts: Date.now() })

/** Every method and subscription that needs no user, of whatever modules there are. */
const open = Object.values(modules).flatMap(({ name, methods, subscriptions }) =>
  Object.entries({ ...methods, ...subscriptions }).flatMap(([key, { access }]) =>
    access === 'anyone' ? [`${name}.${key}`] : [],
  ),
)

/** Data that pass the validation, so that more is done than that. What is not here is asked with none. */
const askable: Readonly<Record<string, () => unknown>> = {
  'auth.begin': () => ({ username: `free_${++eids}` }),
  'auth.verify': () => ({ code: '123456' }),
  'auth.recover': () => ({ username: 'host', recoveryCode: `${++eids}` }),
  'live.getReplay': () => ({ matchId }),
  'live.onState': () => ({ matchId, rate: [60, 30, 20, 15, 10, 5, 1][++eids % 7] }),
  'matches.getOne': () => ({ matchId }),
  'matches.list': () => ({}),
  'matches.onLobby': () => ({}),
  'matches.onUpdate': () => ({ matchId }),
}

function each(types: readonly string[]): string[] {
  return types.flatMap((type) => Array.from({ length: FRAMES_OF_A_KIND }, () => frame(type, askable[type]?.() ?? {})))
}

const UPGRADE =
  'GET /ws HTTP/1.1\r\nHost: rally.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'

/** A frame of 64 KiB that costs most to look through: escapes, and arrays nested as deep as they may be. */
function hostile(): string {
  const nested = `${'['.repeat(29)}${']'.repeat(29)}`
  const head = '{"type":"rpc.ping","data":{"a":"\\u0041","b":['
  const room = 64 * 1024 - head.length - 100
  const many = Array.from({ length: Math.floor(room / (nested.length + 1)) }, () => nested).join(',')
  return `${head}${many}]},"eid":"e","ts":1}`
}

function loads(): Readonly<Record<string, () => Load>> {
  return {
    'large frames that are costly to read': () => ({ kind: 'frames', frames: [hostile()], reads: true }),
    'every method and stream': () => ({ kind: 'frames', frames: each(open), reads: true }),
    'one read of the database': () => ({ kind: 'frames', frames: each(['matches.list']), reads: true }),
    'streams that nobody reads': () => ({
      kind: 'frames',
      frames: each(['matches.onLobby', 'matches.onUpdate', 'live.onState']),
      reads: false,
    }),
    upgrades: () => ({ kind: 'upgrades', headers: {} }),
    'upgrades that wait for no answer': () => ({ kind: 'http', request: UPGRADE }),
    'upgrades with the cookie of an ended session': () => ({ kind: 'upgrades', headers: { Cookie: endedCookie } }),
    'sign-outs with the cookie of an ended session': () => ({
      kind: 'http',
      request: `DELETE /session HTTP/1.1\r\nHost: rally.example.com\r\nCookie: ${endedCookie}\r\n\r\n`,
    }),
  }
}

test('there are data only for what may be asked without a user', () => {
  expect(open).toEqual(expect.arrayContaining(Object.keys(askable)))
})

test.for(Object.entries(loads()))('64 sockets of one address at full speed: %s', async ([name, load]) => {
  const own: Player[] = []
  while (own.length < SIGN_INS) own.push(await newPlayer())
  const noticed = await underLoad(server, load(), { ping: () => playing.request('rpc.ping') }, own)
  const { peakMemoryBytes, sent, ...rest } = noticed
  console.log(name, { ...rest, memoryMiB: Math.round(peakMemoryBytes / MIB), sent })
  expect(sent.writes).toBeGreaterThan(0)
  expect(noticed.signIns).toBeGreaterThanOrEqual(8)
  expect(noticed.signInP99Ms).toBeLessThan(MAX_SIGN_IN_MS)
  expect(noticed.pingP99Ms).toBeLessThan(MAX_PING_MS)
  expect(noticed.skippedTicks).toBeLessThanOrEqual(MAX_SKIPPED_TICKS)
  expect(noticed.readyStatuses).toEqual([200])
  expect(peakMemoryBytes).toBeLessThan(400 * MIB)
})
