import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import {
  type MatchResult,
  ResultFiles,
  type ResultFilesOptions,
} from '../../src/modules/matches/lifecycle/result-files.ts'
import { ResultQueue } from '../../src/modules/matches/lifecycle/result-queue.ts'
import { quietLoggers } from '../support/quiet-log.ts'

const log = quietLoggers().of('matches')
const failure = (code: string) => Object.assign(new Error('failed'), { code })
const away = failure('ECONNREFUSED')

const test = base.extend('dir', async ({ task }, { onCleanup }) => {
  const folder = await mkdtemp(join(tmpdir(), `rally-results-${task.id}-`))
  onCleanup(() => rm(folder, { recursive: true, force: true }))
  // The folder is made when it is needed.
  return join(folder, 'results')
})

const result = (matchId: string, fence = 1): MatchResult => ({
  matchId,
  node: 'n',
  fence,
  winnerSeat: 1,
  scores: [3, 5],
  endReason: null,
  finishedAt: 1_795_176_731_498,
  ticks: 900,
  finalState: { ball: [1, -0.5] },
  inputs: { inputs: [{ move: 1 }], changes: 'AAAA' },
})

const open = (dir: string, bounds: Partial<ResultFilesOptions> = {}) => new ResultFiles({ dir, log, ...bounds })

test('a kept result is read by the next process as it was, and is deleted when it is stored', async ({ dir }) => {
  const files = open(dir)
  expect(await files.read()).toEqual([])
  expect(await files.write(result('a'))).toBe(true)
  expect(await files.write(result('b', 7))).toBe(true)
  const next = open(dir)
  expect(await next.read()).toEqual([result('a'), result('b', 7)])
  await next.remove(result('a'))
  expect(await readdir(dir)).toEqual(['b.7.json'])
})

test('a file that is no result is set aside, and a half-written one is deleted', async ({ dir }) => {
  const files = open(dir)
  await files.write(result('good'))
  await writeFile(join(dir, 'cut.1.json'), JSON.stringify(result('cut')).slice(0, 90))
  await writeFile(join(dir, 'other.1.json'), JSON.stringify(result('good')))
  await writeFile(join(dir, 'empty.1.json'), '')
  await writeFile(join(dir, 'half.1.json.0badcafe'), '{')
  const longAgo = new Date(Date.now() - 120_000)
  await utimes(join(dir, 'half.1.json.0badcafe'), longAgo, longAgo)
  expect(await open(dir).read()).toEqual([result('good')])
  const names = ['cut.1.json.corrupt', 'empty.1.json.corrupt', 'good.1.json', 'other.1.json.corrupt']
  expect((await readdir(dir)).sort()).toEqual(names)
  expect(await open(dir).read()).toEqual([result('good')])
  expect((await readdir(dir)).sort()).toEqual(names)
})

test('a file that another process is writing stays, and one that cannot be read stops no other', async ({ dir }) => {
  const files = open(dir)
  await files.write(result('a'))
  await mkdir(join(dir, 'b.1.json'))
  await files.write(result('c'))
  await writeFile(join(dir, 'half.1.json.0badcafe'), '{')
  expect(await open(dir).read()).toEqual([result('a'), result('c')])
  expect((await readdir(dir)).sort()).toEqual(['a.1.json', 'b.1.json', 'c.1.json', 'half.1.json.0badcafe'])
})

test('the files stay within their bounds, those of earlier processes included', async ({ dir }) => {
  await open(dir).write(result('a'))
  const files = open(dir, { maxFiles: 2 })
  await files.read()
  expect(await files.write(result('b'))).toBe(true)
  expect(await files.write(result('c'))).toBe(false)
  await files.remove(result('a'))
  expect(await files.write(result('c'))).toBe(true)

  const bytes = JSON.stringify(result('b')).length
  const small = open(dir, { maxBytes: 3 * bytes - 1 })
  await small.read()
  expect(await small.write(result('d'))).toBe(false)
  expect((await readdir(dir)).sort()).toEqual(['b.1.json', 'c.1.json'])
})

test('results are stored though their folder cannot be written', async ({ dir }) => {
  await writeFile(dir, 'in the way')
  const files = open(dir, { maxFiles: 1 })
  expect(await files.read()).toEqual([])
  expect(await files.write(result('a'))).toBe(false)
  await using store = new Store(dir)
  store.isAway = true
  store.results.add(result('a'))
  await expect.poll(() => store.tries).toBeGreaterThan(0)
  store.isAway = false
  await expect.poll(() => store.done).toEqual([['a', true]])
  await rm(dir)
  expect(await files.write(result('b'))).toBe(true)
})

/** Where results are stored, if it is there. */
class Store implements AsyncDisposable {
  readonly results: ResultQueue
  readonly stored: MatchResult[] = []
  readonly done: [string, boolean][] = []
  isAway = false
  tries = 0
  failure: Error | undefined
  whileStoring: (underWay: number) => Promise<void> = async () => undefined
  #underWay = 0

  constructor(dir: string) {
    this.results = new ResultQueue({
      files: new ResultFiles({ dir, log }),
      log,
      concurrency: 2,
      store: async (given) => {
        this.tries++
        if (this.isAway) throw away
        if (this.failure) throw this.failure
        await this.whileStoring(++this.#underWay)
        this.#underWay--
        this.stored.push(given)
      },
      onDone: ({ matchId }, isStored) => this.done.push([matchId, isStored]),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isAway = false
    await this.results.stop()
  }
}

test('a result that the database takes at once leaves no file', async ({ dir }) => {
  await using store = new Store(dir)
  store.results.add(result('a'))
  await expect.poll(() => store.done).toEqual([['a', true]])
  expect(store.results.matchIds).toEqual([])
  await expect(readdir(dir)).rejects.toThrow('ENOENT')
})

test('results are in files while the database is away, and stored once when it is back', async ({ dir }) => {
  await using store = new Store(dir)
  store.isAway = true
  for (const id of ['a', 'b', 'c']) store.results.add(result(id))
  // The same result again.
  store.results.add(result('a'))
  await expect.poll(() => store.tries).toBeGreaterThan(3)
  await expect.poll(() => readdir(dir)).toEqual(['a.1.json', 'b.1.json', 'c.1.json'])
  expect(store.results.matchIds.sort()).toEqual(['a', 'b', 'c'])
  expect([store.results.length, store.results.waits.sum]).toEqual([3, 0])
  store.isAway = false
  await expect.poll(() => store.done.map(([id]) => id).sort()).toEqual(['a', 'b', 'c'])
  expect(store.stored).toHaveLength(3)
  expect(store.results.length).toBe(0)
  // They waited at least for the first try after RETRY_MS.
  expect(store.results.waits.sum).toBeGreaterThan(1_000)
  await expect.poll(() => readdir(dir)).toEqual([])
})

test('results that are not stored when the process stops are stored by the next', async ({ dir }) => {
  const first = new Store(dir)
  first.isAway = true
  first.results.add(result('a'))
  first.results.add(result('b'))
  await first.results.stop()
  expect(await readdir(dir)).toEqual(['a.1.json', 'b.1.json'])
  expect(JSON.parse(await readFile(join(dir, 'a.1.json'), 'utf8'))).toEqual(result('a'))

  await using next = new Store(dir)
  await next.results.restore()
  await expect.poll(() => next.stored.map(({ matchId }) => matchId).sort()).toEqual(['a', 'b'])
  await expect.poll(() => readdir(dir)).toEqual([])
})

test('no more results are stored at once than the limit', async ({ dir }) => {
  await using store = new Store(dir)
  let most = 0
  store.whileStoring = async (underWay) => {
    most = Math.max(most, underWay)
    await new Promise(setImmediate)
  }
  for (const id of ['a', 'b', 'c', 'd', 'e']) store.results.add(result(id))
  await expect.poll(() => store.done).toHaveLength(5)
  expect(most).toBe(2)
})

test('a stop offers every result once more', async ({ dir }) => {
  const store = new Store(dir)
  store.isAway = true
  store.results.add(result('a'))
  await expect.poll(() => store.tries).toBe(1)
  store.isAway = false
  await store.results.stop()
  expect(store.done).toEqual([['a', true]])
  expect(await readdir(dir)).toEqual([])
})

test('a stop first writes files for all results that are not stored', async ({ dir }) => {
  const store = new Store(dir)
  const answer = new AbortController()
  store.whileStoring = async () => {
    await once(answer.signal, 'abort')
  }
  for (const id of ['a', 'b', 'c']) store.results.add(result(id))
  const stopped = store.results.stop()
  await expect.poll(() => readdir(dir).catch(() => [])).toEqual(['a.1.json', 'b.1.json', 'c.1.json'])
  expect(store.done).toEqual([])
  answer.abort()
  store.whileStoring = async () => undefined
  await stopped
  expect(store.done).toHaveLength(3)
  expect(await readdir(dir)).toEqual([])
})

test('a result that the database can never take is set aside, and the others are stored', async ({ dir }) => {
  await open(dir).write(result('bad'))
  await using store = new Store(dir)
  store.failure = failure('23514')
  await store.results.restore()
  await expect.poll(() => store.done).toEqual([['bad', false]])
  // A result without a file gets one.
  store.failure = failure('22P02')
  store.results.add(result('new'))
  await expect.poll(() => store.done.at(-1)).toEqual(['new', false])
  store.failure = undefined
  store.results.add(result('good'))
  await expect.poll(() => store.done.at(-1)).toEqual(['good', true])
  expect((await readdir(dir)).sort()).toEqual(['bad.1.json.corrupt', 'new.1.json.corrupt'])
})

test('a result that cannot be written as JSON is refused, and the others are stored', async ({ dir }) => {
  await using store = new Store(dir)
  store.failure = new TypeError('Do not know how to serialize a BigInt')
  store.results.add({ ...result('bad'), finalState: { score: 1n } })
  await expect.poll(() => store.done).toEqual([['bad', false]])
  store.failure = undefined
  store.results.add(result('good'))
  await expect.poll(() => store.done.at(-1)).toEqual(['good', true])
})

test.for([
  ['loses against other transactions', '40001'],
  ['is in a deadlock', '40P01'],
  ['finds the database read-only', '25006'],
  ['finds the disk full', '53100'],
  ['finds no memory', '53200'],
  ['finds the disk broken', '58030'],
])('a result that %s waits until it is stored', async ([, code = ''], { dir }) => {
  await using store = new Store(dir)
  store.failure = failure(code)
  store.results.add(result('a'))
  await expect.poll(() => readdir(dir).catch(() => [])).toEqual(['a.1.json'])
  await expect.poll(() => store.tries, { timeout: 5_000 }).toBeGreaterThan(1)
  expect(store.done).toEqual([])
  store.failure = undefined
  await expect.poll(() => store.done, { timeout: 5_000 }).toEqual([['a', true]])
  expect(await readdir(dir)).toEqual([])
})
