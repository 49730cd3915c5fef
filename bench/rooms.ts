// What rooms cost in which eight players relay their state 20 times a second: CPU of the server, frames and bytes to a reader.
//
//   npm run bench:rooms                   one room, then 100
//   npm run bench:rooms -- --rooms 200
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts'
import { clientFrame, RawClient } from './support/raw-client.ts'
import { pinSelf, type ServerProcess, startServer } from './support/server-process.ts'

const MEMBERS = 8
const HZ = 20
const TICK_MS = 1000 / HZ
const SLOT_MS = 2
const SETTLE_MS = 3_000
const WINDOW_MS = 8_000
/** Sockets that are opened at once. */
const CONNECTING = 50

const Made = z.object({ members: z.array(z.object({ roomId: z.string(), cookie: z.string() })) })

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const say = (line: string) => process.stdout.write(`${line}\n`)
const silent = () => undefined

interface Reader {
  readonly client: RawClient
  readonly roomId: string
  frames: number
  x: number
  /** How often the server left it out because it did not read. */
  reopened: number
}

async function open(port: number, { roomId, cookie }: z.infer<typeof Made>['members'][number]): Promise<Reader> {
  let reader: Reader | undefined
  const client = await RawClient.open(
    port,
    (count) => {
      if (reader) reader.frames += count
    },
    { Cookie: cookie },
    (_, frame) => {
      if (!reader || !frame.includes('"STREAM_CLOSED"')) return
      // This process was too slow: as every client does, it opens the stream again.
      reader.reopened++
      reader.client.write(frameOf('rooms.onRelay', { roomId }))
    },
  )
  client.write(frameOf('rooms.onRelay', { roomId }))
  reader = { client, roomId, frames: 0, x: 0, reopened: 0 }
  return reader
}

const frameOf = (type: string, data: object) =>
  clientFrame(JSON.stringify({ type, data, eid: '9f0c2b5e-1f3a-4c55-8d7e-000000000000', ts: Date.now() }))

/** A player's state as games have it: where, how fast, what is done, and how much is left. */
function relay(reader: Reader): void {
  reader.x = (reader.x + 3.25) % 1_000
  const payload = { x: reader.x, y: 412.5, vx: 3.25, vy: 0, facing: 'left', animation: 'run', health: 87 }
  reader.client.write(frameOf('rooms.relay', { roomId: reader.roomId, kind: 'state', payload }))
}

/** What a server without sockets takes. */
async function idle(server: ServerProcess): Promise<void> {
  await pause(SETTLE_MS)
  const before = await server.usage()
  await pause(SETTLE_MS)
  const after = await server.usage()
  say(`without sockets: ${((after.cpuMicros - before.cpuMicros) / 10 / SETTLE_MS).toFixed(1)} % CPU`)
}

async function measure(server: ServerProcess, rooms: number): Promise<void> {
  const { members } = Made.parse(await server.ask({ ask: 'rooms', rooms, members: MEMBERS }))
  const readers: Reader[] = []
  for (let done = 0; done < members.length; done += CONNECTING) {
    const batch = members.slice(done, done + CONNECTING)
    readers.push(...(await Promise.all(batch.map((member) => open(server.port, member)))))
  }
  // Players do not send at the same moment: each has a place in the 50 ms.
  const slots = TICK_MS / SLOT_MS
  let sent = 0
  let turn = 0
  let at = performance.now()
  const timer = setInterval(() => {
    for (; at + SLOT_MS <= performance.now(); at += SLOT_MS) {
      for (let i = turn++ % slots; i < readers.length; i += slots) {
        const reader = readers[i]
        if (reader) relay(reader)
        sent++
      }
    }
  }, SLOT_MS)
  await pause(SETTLE_MS)
  const totals = () => ({
    frames: readers.reduce((sum, { frames }) => sum + frames, 0),
    bytes: readers.reduce((sum, { client }) => sum + client.bytesRead, 0),
    sent,
    at: performance.now(),
  })
  const [usage, before] = [await server.usage(), totals()]
  await pause(WINDOW_MS)
  const [used, after] = [await server.usage(), totals()]
  clearInterval(timer)
  for (const { client } of readers) client.close()
  const seconds = (after.at - before.at) / 1000
  const each = (value: number) => value / readers.length / seconds
  say(
    `${String(rooms).padStart(5)} ${each(after.sent - before.sent)
      .toFixed(1)
      .padStart(8)}` +
      `${each(after.frames - before.frames)
        .toFixed(1)
        .padStart(10)}` +
      `${(each(after.bytes - before.bytes) / 1024).toFixed(1).padStart(10)}` +
      `${((used.cpuMicros - usage.cpuMicros) / 10_000 / seconds).toFixed(1).padStart(10)}` +
      `${((used.cpuMicros - usage.cpuMicros) / (after.sent - before.sent)).toFixed(1).padStart(12)}` +
      `${(used.rssBytes / 2 ** 20).toFixed(0).padStart(8)}` +
      `${String(readers.reduce((sum, { reopened }) => sum + reopened, 0)).padStart(10)}`,
  )
}

const { values } = parseArgs({ options: { rooms: { type: 'string' } } })
const pinned = pinSelf(1)
const dataDir = mkdtempSync(join(tmpdir(), 'rally-bench-'))
const postgres = await startEmbeddedPostgres({
  dataDir,
  log: { debug: silent, info: silent, warn: silent, error: silent },
  durable: false,
})
try {
  const env = { DATABASE_URL: postgres.url, DATA_DIR: dataDir }
  const server = await startServer(fileURLToPath(new URL('rooms/server.ts', import.meta.url)), 0, env)
  try {
    say(
      `Node ${process.version}, rooms of ${MEMBERS}, each relays its state ${HZ} times a second` +
        `${pinned ? ', server on a core of its own' : ''}`,
    )
    await idle(server)
    say('rooms  sent/s  frames/s a reader  KiB/s  CPU %  µs CPU a message  MiB  reopened')
    for (const rooms of values.rooms === undefined ? [1, 100] : [Number(values.rooms)]) await measure(server, rooms)
  } finally {
    await server.stop()
  }
} finally {
  await postgres.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
