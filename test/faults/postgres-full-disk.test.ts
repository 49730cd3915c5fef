import { execFileSync } from 'node:child_process'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { CONNECT_FOUR, playConnectFour, startLive } from '../matches/support.ts'
import type { TestClient } from '../support/client.ts'
import { OwnPostgres } from '../support/own-postgres.ts'
import { answersBetween, Caller } from './callers.ts'
import { figure } from './figure.ts'
import { LivePong } from './live-matches.ts'
import { startServerProcess } from './server-process.ts'
import { makeUsers, openAs } from './users.ts'

const DISK_MIB = 160
const WRITE_LOG = `SELECT pg_logical_emit_message(false, 'test', repeat('x', 1048576))`
const CALLERS = 8
const FULL_MS = 10_000
const MAX_ANSWER_MS = 10_500
const MAX_PAUSE_MS = 1_500
const BACK_WITHIN_MS = 20_000

beforeEach(({ skip }) => skip(process.getuid?.() !== 0, 'only root can mount a small disk'))

/** A small disk in memory. */
async function mountDisk() {
  const folder = await mkdtemp(join(tmpdir(), 'rally-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m,mode=755`, 'tmpfs', folder])
  const ballast = join(folder, 'ballast')
  return {
    folder,
    /** Takes all the space that is left. */
    async fill() {
      const file = await open(ballast, 'a')
      try {
        for (const size of [1024 * 1024, 4096]) {
          while (
            await file.write(Buffer.alloc(size)).then(
              ({ bytesWritten }) => bytesWritten === size,
              () => false,
            )
          );
        }
      } finally {
        await file.close()
      }
    },
    free: () => rm(ballast),
    async [Symbol.asyncDispose]() {
      execFileSync('umount', [folder])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

test('the disk of the database is full for 10 s', async () => {
  await using disk = await mountDisk()
  await using postgres = await OwnPostgres.start(disk.folder)
  await using server = await startServerProcess({ DATABASE_URL: postgres.url })
  const users = await makeUsers(server, CALLERS + 2)
  const clients: TestClient[] = []
  for (const user of users) clients.push(await openAs(server.url, user))
  const [player, watcher] = clients.slice(CALLERS)
  if (!player || !watcher) throw new Error('there are too few users')
  const callers = clients.slice(0, CALLERS).map((client) => new Caller(client))
  const isReady = async () => (await fetch(`${server.url}/readyz`)).status === 200

  const live = await LivePong.start(watcher)
  const decided = await startLive(player, { mode: 'local', ...CONNECT_FOUR })
  await disk.fill()
  const begin = performance.now()
  // Small rows find room in pages that are there. The log of all changes does not: Postgres stops when it cannot grow.
  for (let mebibytes = 0; mebibytes < DISK_MIB; mebibytes++) {
    const isWritten = await postgres.query(WRITE_LOG).then(
      () => true,
      () => false,
    )
    if (!isWritten) break
  }
  await playConnectFour([player], decided.latest.id)
  await sleep(begin + FULL_MS - performance.now())
  const end = performance.now()

  await disk.free()
  if (!(await isReady())) {
    await postgres.stop()
    await postgres.restart()
  }
  await expect.poll(isReady, { timeout: BACK_WITHIN_MS, interval: 50 }).toBe(true)
  expect(await decided.over(BACK_WITHIN_MS)).toMatchObject({ status: 'finished', winnerSeat: 0 })
  const storedMs = performance.now() - end
  const pauseMs = live.stop()
  await Promise.all(callers.map((caller) => caller.stop()))
  const { counts, slowestMs } = answersBetween(callers, begin, end)
  for (const [code, count] of Object.entries(counts)) figure(`full disk: answers ${code}`, count, 'calls')
  figure('full disk: slowest answer meanwhile', slowestMs, 'ms')
  figure('full disk: longest pause of a live match', pauseMs, 'ms')
  figure('full disk: result stored after', storedMs, 'ms')
  expect(counts).toHaveProperty('UNAVAILABLE')
  expect(Object.keys(counts).filter((code) => !['ok', 'UNAVAILABLE', 'TIMEOUT'].includes(code))).toEqual([])
  expect(slowestMs).toBeLessThan(MAX_ANSWER_MS)
  expect(pauseMs).toBeLessThan(MAX_PAUSE_MS)
  expect(server.errors).toEqual([])

  const written = callers.flatMap((caller) => [...caller.written.values()])
  const { rows } = await postgres.query(`SELECT count(*)::int AS count FROM matches WHERE id IN (
    ${written.map((id) => `'${id}'`).join(', ')})`)
  expect(rows).toEqual([{ count: written.length }])
  for (const client of clients) await client[Symbol.asyncDispose]()
}, 120_000)
