import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import type { Sql } from '../../src/db/sql.ts'
import { statement } from '../../src/db/sql.ts'
import { type Job, runJob, startJobs } from '../../src/modules/periodic-jobs.ts'
import { createPlatform, every, type Platform, service } from '../../src/modules/platform.ts'
import { databaseTest } from '../support/database-test.ts'
import { quietLoggers } from '../support/quiet-log.ts'

const loggers = quietLoggers
/** The parts of a platform that jobs and services of these tests use. */
const platformWith = (parts: Partial<Platform>) => createPlatform({ log: loggers(), ...parts } as Platform)

/** Resolves when it was called `times` times. */
function calls(times: number) {
  let seen = 0
  let reached: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    reached = resolve
  })
  return { done, count: () => seen, call: () => void (++seen === times && reached()) }
}

test('a job runs again and again, never twice at once, and no more once it is stopped', async () => {
  const ran = calls(3)
  let running = 0
  const job = every(
    't.job',
    1,
    async () => {
      expect(++running).toBe(1)
      await sleep(5)
      running--
      ran.call()
    },
    loggers(),
  )
  await ran.done
  await job.stop()
  expect(running).toBe(0)
  const count = ran.count()
  await sleep(30)
  expect(ran.count()).toBe(count)
})

test('to stop waits for the run under way, which is told', async () => {
  const began = calls(1)
  let isOver = false
  const work = async (stopping: AbortSignal) => {
    began.call()
    await new Promise((resolve) => stopping.addEventListener('abort', resolve))
    await sleep(5)
    isOver = true
  }
  const job = every('t.job', 1, work, loggers())
  await began.done
  await job.stop()
  expect(isOver).toBe(true)
})

test('the first of several failures is logged under the name of the module, and their end', async () => {
  const log = loggers()
  const warn = vi.spyOn(log.of('t'), 'warn')
  const info = vi.spyOn(log.of('t'), 'info')
  const ran = calls(5)
  const work = () => {
    ran.call()
    if (ran.count() <= 3) throw new Error('not yet')
  }
  const job = every('t.job', 1, work, log)
  await ran.done
  await job.stop()
  expect(warn.mock.calls).toEqual([[expect.objectContaining({ job: 't.job' }), expect.any(String)]])
  expect(info).toHaveBeenCalledTimes(1)
})

const stored = databaseTest()

stored(
  'on one node runs one of a job at a time, in a transaction whose effects wait for the commit',
  async ({ database }) => {
    const backend = statement<{ pid: number }>('test.backend', 'SELECT pg_backend_pid() AS pid')
    const ran = calls(6)
    const running = new Set<object>()
    let isCommitted = false
    const job: Job = {
      everyMs: 1,
      runsOn: 'one node',
      async run({ sql, afterCommit, use }) {
        running.add(sql)
        expect(running.size).toBe(1)
        const connections = [await sql.first(backend), await sql.first(backend)]
        expect(connections[0]).toEqual(connections[1])
        expect(use(counter).add()).toBeGreaterThan(0)
        await sleep(5)
        isCommitted = false
        afterCommit(() => {
          isCommitted = true
        })
        expect(isCommitted).toBe(false)
        running.delete(sql)
        ran.call()
      },
    }
    const counter = service('counter', () => {
      let count = 0
      return { add: () => ++count }
    })
    const jobs = [1, 2, 3].flatMap(() => startJobs(platformWith({ database }).platform, 't', { job }))
    await ran.done
    await Promise.all(jobs.map((each) => each.stop()))
    expect(isCommitted).toBe(true)
  },
)

stored('on one node runs once in its time, however many nodes there are', async ({ database }) => {
  const began = statement<{ at: number }>('test.began', 'SELECT (extract(epoch FROM now()) * 1000)::float8 AS at')
  const [ran, times] = [calls(5), [] as number[]]
  const job: Job = {
    everyMs: 100,
    runsOn: 'one node',
    async run({ sql }) {
      times.push((await sql.first(began))?.at ?? 0)
      ran.call()
    },
  }
  const jobs = [1, 2, 3].flatMap(() => startJobs(platformWith({ database }).platform, 'spaced', { job }))
  await ran.done
  await Promise.all(jobs.map((each) => each.stop()))
  // The database keeps whole milliseconds.
  for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(99)
})

stored('on one node is due again after a run that failed', async ({ database }) => {
  const ran = calls(2)
  const run = () => {
    ran.call()
    throw new Error('not yet')
  }
  const { platform } = platformWith({ database })
  const { signal } = new AbortController()
  const job: Job = { everyMs: 60_000, runsOn: 'one node', run }
  await expect(runJob(platform, 'failing.job', job, signal)).rejects.toThrow('not yet')
  await expect(runJob(platform, 'failing.job', job, signal)).rejects.toThrow('not yet')
  expect(ran.count()).toBe(2)
})

test('on every node runs without a transaction', async () => {
  const sql = {} as Sql
  const ran = calls(2)
  const job: Job = {
    everyMs: 1,
    runsOn: 'every node',
    run(ctx) {
      expect(ctx.sql).toBe(sql)
      ran.call()
    },
  }
  const database = { sql } as Platform['database']
  const [started] = startJobs(platformWith({ database }).platform, 't', { job })
  await ran.done
  await started?.stop()
})

test('a service is made once, when it is first asked for; one that comes too late to be started is refused, and two that need each other', () => {
  let made = 0
  const one = service('one', () => ({ number: ++made }))
  const two = service('two', (platform) => ({ one: platform.use(one) }))
  const { platform, services, markStarted } = platformWith({})
  expect(made).toBe(0)
  expect(platform.use(two).one).toBe(platform.use(one))
  expect(made).toBe(1)
  expect([...services.keys()]).toEqual([one, two])

  const late = service('late', () => ({ start: async () => undefined }))
  const plain = service('plain', () => ({}))
  markStarted()
  expect(platform.use(plain)).toEqual({})
  expect(() => platform.use(late)).toThrow('late would not be started')

  const hen: ReturnType<typeof service<object>> = service('hen', (platform) => ({ egg: platform.use(egg) }))
  const egg = service<object>('egg', (platform) => ({ hen: platform.use(hen) }))
  expect(() => platform.use(hen)).toThrow('hen -> egg -> hen')
})
