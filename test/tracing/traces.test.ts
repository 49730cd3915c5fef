import { setTimeout as delay } from 'node:timers/promises'
import { test as base, expect } from 'vitest'
import { z } from 'zod'
import { statement } from '../../src/db/sql.ts'
import { method, module, service } from '../../src/modules/define.ts'
import { modules } from '../../src/modules/index.ts'
import { startTracing } from '../../src/tracing/tracing.ts'
import { CurrentWork, sqlComment } from '../../src/tracing/work.ts'
import { create, follow } from '../matches/support.ts'
import { connect, within } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { newcomer } from '../support/newcomers.ts'
import { quietLoggers } from '../support/quiet-log.ts'
import { matchTimes } from '../support/rally-test.ts'
import { type Rally, type RallyOptions, startRally } from '../support/server.ts'
import { OtlpReceiver } from './otlp-receiver.ts'

const shared = { access: 'anyone', effect: 'read', limit: { points: 1000, perSeconds: 1 } } as const
const empty = { input: z.object({}), output: z.object({}) }

const LOOK = statement<{ query: string }>(
  'traced.look',
  `SELECT query FROM pg_stat_activity WHERE application_name = 'rally' AND state = 'active' AND datname = current_database()`,
)
const PREPARED = statement<{ statement: string }>('traced.prepared', 'SELECT statement FROM pg_prepared_statements')
const SECRET = statement('traced.secret', 'SELECT $1::text')

/** Asks itself or another node for what its database runs. */
const watcher = service('watcher', (platform) => {
  const look = async () => (await platform.database.sql.rows(LOOK)).map(({ query }) => query)
  platform.nodes.answer('traced.look', async () => {
    platform.log.of('watcher').warn({}, 'was asked')
    return look()
  })
  return {
    /** What a call started and did not wait for. */
    leftRunning: Promise.resolve<string[]>([]),
    look,
    ask: (node: string) => platform.nodes.ask(node, 'traced.look', {}, 2_000),
  }
})

const traced = module({
  name: 'traced',
  service: watcher,
  methods: {
    look: method({
      summary: 'Lists the statements that run.',
      ...shared,
      input: z.object({}),
      output: z.object({ active: z.array(z.string()), prepared: z.array(z.string()) }),
      async handle({ ctx }) {
        const prepared = await ctx.sql.rows(PREPARED)
        return { active: await ctx.use(watcher).look(), prepared: prepared.map((row) => row.statement) }
      },
    }),
    ask: method({
      summary: 'Asks another node for its statements.',
      ...shared,
      input: z.object({ node: z.string() }),
      output: z.array(z.string()),
      handle: async ({ ctx, input }) => z.array(z.string()).parse(await ctx.use(watcher).ask(input.node)),
    }),
    say: method({
      summary: 'Runs a statement with a secret value.',
      ...shared,
      input: z.object({ word: z.string() }),
      output: z.object({}),
      async handle({ ctx, input }) {
        await ctx.sql.rows(SECRET, [input.word])
        return {}
      },
    }),
    later: method({
      summary: 'Leaves work running.',
      ...shared,
      ...empty,
      handle({ ctx }) {
        const own = ctx.use(watcher)
        own.leftRunning = delay(50).then(own.look)
        return {}
      },
    }),
    crash: method({ summary: 'Fails.', ...shared, ...empty, handle: () => Promise.reject(new Error('s3cret')) }),
  },
  subscriptions: {},
})

const test = base
  .extend(
    'receiver',
    { scope: 'file' }, // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern that this needs nothing
    async ({}, { onCleanup }) => {
      const receiver = await OtlpReceiver.start()
      onCleanup(() => receiver[Symbol.asyncDispose]())
      return receiver
    },
  )
  .extend('lines', { scope: 'file' }, [] as string[])
  .extend('options', { scope: 'file' }, ({ receiver, lines }): RallyOptions => {
    return {
      modules: { ...modules, traced },
      writeLogLine: (line) => void lines.push(line),
      config: { logLevel: 'debug', matches: matchTimes(), tracing: settings(receiver.endpoint) },
    }
  })
  .extend('rally', { scope: 'file' }, async ({ options }, { onCleanup }) => {
    const rally = await startRally(options)
    onCleanup(() => rally.stop())
    return rally
  })

type Settings = NonNullable<Rally['config']['tracing']>

function settings(endpoint: string, other: Partial<Settings> = {}): Settings {
  return {
    endpoint,
    headers: { 'x-collector': 'ours' },
    sampler: 'parentbased_always_on',
    samplerRatio: 1,
    serviceName: 'rally',
    resourceAttributes: { 'deployment.environment.name': 'test' },
    ...other,
  }
}

const parsed = (lines: readonly string[]) => lines.map((line): Record<string, unknown> => JSON.parse(line))

test('a request is a span with its type, ids and outcome; its statements are named and hold no values', async ({
  rally,
  receiver,
}) => {
  await using client = await connect(rally.url)
  await client.request('traced.say', { word: 's3cret' }, { eid: 'first' })
  await client.request('traced.crash', {}, { eid: 'second' })
  const call = await receiver.span(({ name }) => name === 'traced.say')
  expect(call).toMatchObject({
    kind: 2,
    attributes: { 'rpc.service': 'traced', 'rpc.method': 'say', 'rally.eid': 'first', 'rally.outcome': 'OK' },
  })
  expect(call.parentSpanId ?? '').toBe('')
  const statement = await receiver.span(({ parentSpanId }) => parentSpanId === call.spanId)
  expect(statement).toMatchObject({ name: 'traced.secret', traceId: call.traceId, kind: 3 })
  const crash = await receiver.span(({ name }) => name === 'traced.crash')
  expect(crash).toMatchObject({ attributes: { 'rally.outcome': 'INTERNAL' }, status: { code: 2 } })
  expect(receiver.bodies.join('')).not.toContain('s3cret')
  expect(receiver.resources[0]).toEqual({
    'service.name': 'rally',
    'service.version': expect.any(String),
    'service.instance.id': rally.app.platform.node,
    'deployment.environment.name': 'test',
  })
  expect(receiver.headers[0]).toMatchObject({ 'x-collector': 'ours' })
})

test('while a statement runs, pg_stat_activity shows the call; prepared statements stay without it', async ({
  rally,
  receiver,
  lines,
}) => {
  await using client = await connect(rally.url)
  const { active, prepared } = await client.call<{ active: string[]; prepared: string[] }>('traced.look')
  const comment =
    /^\/\*action='traced\.look',call_id='([0-9a-f]{8}-[0-9a-z]+)',traceparent='00-(\w{32})-(\w{16})-01'\*\/ SELECT/
  const [, callId, traceId, spanId] = comment.exec(active.find((query) => query.includes('traced.look')) ?? '') ?? []
  const statement = await receiver.span((span) => span.spanId === spanId)
  expect(statement).toMatchObject({ traceId, name: 'traced.look' })
  expect(parsed(lines)).toContainEqual(
    expect.objectContaining({
      msg: 'a request',
      type: 'traced.look',
      callId,
      traceId,
      outcome: 'OK',
      ms: expect.any(Number),
    }),
  )
  expect(prepared.filter((text) => text.includes('/*'))).toEqual([])
})

test('what a call leaves running does not belong to it any more', async ({ rally, receiver }) => {
  await using client = await connect(rally.url)
  await client.call('traced.later')
  const active = await rally.app.platform.use(watcher).leftRunning
  expect(active.some((query) => query.startsWith('SELECT query FROM pg_stat_activity'))).toBe(true)
  expect(active.filter((query) => query.includes('traced.later'))).toEqual([])
  await receiver.span(({ name }) => name === 'traced.later')
})

test('a call to another node goes on there under the same trace and call id', async ({ options, receiver }) => {
  await using database = await createTestDatabase()
  const cluster = new Map()
  const lines: string[] = []
  const start = () => startRally({ ...options, database, cluster, writeLogLine: (line) => void lines.push(line) })
  await using a = await start()
  await using b = await start()
  await using client = await connect(a.url)
  const [query = ''] = await client.call<string[]>('traced.ask', { node: b.app.platform.node })
  const [, callId] = /action='traced\.ask',call_id='([^']+)',traceparent='00-/.exec(query) ?? []
  expect(callId?.slice(0, 8)).toBe(a.app.platform.node.slice(0, 8))
  expect(parsed(lines)).toContainEqual(expect.objectContaining({ msg: 'was asked', node: b.app.platform.node, callId }))

  const call = await receiver.span(({ name }) => name === 'traced.ask')
  const asked = await receiver.span(({ name, traceId }) => name === 'ask traced.look' && traceId === call.traceId)
  const answered = await receiver.span(({ name, traceId }) => name === 'answer traced.look' && traceId === call.traceId)
  const statement = await receiver.span(({ parentSpanId }) => parentSpanId === answered.spanId)
  expect(asked).toMatchObject({ parentSpanId: call.spanId, kind: 3, attributes: { 'rally.node': b.app.platform.node } })
  expect(answered).toMatchObject({ parentSpanId: asked.spanId, kind: 2 })
  expect(statement.name).toBe('traced.look')
})

test('signing in, opening a socket and settling a match are spans', async ({ rally, receiver }) => {
  const [ada, ben] = [await newcomer(rally), await newcomer(rally)]
  const { id, code } = await create(ada.client, { game: 'connect-four' })
  const follower = await follow(ada.client, id)
  await ben.client.call('matches.join', { code })
  await follower.live()
  await ada.client.call('matches.leave', { matchId: id })
  await follower.over()

  const session = await receiver.span(({ name }) => name === 'POST /session')
  expect(session.attributes).toMatchObject({ 'http.response.status_code': 200 })
  const upgrade = await receiver.span(
    ({ name, spanId }) => name === 'GET /ws' && receiver.spans.some(({ parentSpanId }) => parentSpanId === spanId),
  )
  expect(upgrade.attributes).toMatchObject({ 'http.response.status_code': 101 })
  const settled = await receiver.span(({ name }) => name === 'matches.settle')
  expect(settled.attributes).toEqual({ 'rally.match_id': id })
  const names = receiver.spans.filter(({ parentSpanId }) => parentSpanId === settled.spanId).map(({ name }) => name)
  expect(names.length).toBeGreaterThan(0)
})

test('a sampler that keeps nothing exports nothing, and statements stay prepared', async ({ options, receiver }) => {
  await using rally = await startRally({
    ...options,
    config: {
      ...options.config,
      logLevel: 'silent',
      tracing: settings(receiver.endpoint, { sampler: 'traceidratio', samplerRatio: 0 }),
    },
  })
  await using client = await connect(rally.url)
  const { active, prepared } = await client.call<{ active: string[]; prepared: string[] }>('traced.look')
  expect(active.some((query) => query.startsWith('/*'))).toBe(false)
  expect(prepared.length).toBeGreaterThan(0)
  await rally.stop()
  expect(receiver.resources.some((each) => each['service.instance.id'] === rally.app.platform.node)).toBe(false)
})

test('what waits is exported at the stop', async ({ options, receiver }) => {
  const rally = await startRally(options)
  const client = await connect(rally.url)
  await client.call('rpc.ping')
  await rally.stop()
  expect(receiver.resources.some((each) => each['service.instance.id'] === rally.app.platform.node)).toBe(true)
})

test('a collector that cannot be reached costs one warning, and delays no stop', async ({ options }) => {
  const warnings: string[] = []
  let warned: () => void = () => undefined
  const firstWarning = new Promise<void>((resolve) => {
    warned = resolve
  })
  const rally = await startRally({
    ...options,
    writeLogLine(line) {
      warnings.push(JSON.parse(line).msg)
      warned()
    },
    config: { ...options.config, logLevel: 'warn', tracing: settings('http://127.0.0.1:1') },
  })
  const client = await connect(rally.url)
  await client.call('rpc.ping')
  await within(firstWarning, 'the warning', 15_000)
  await client.call('rpc.ping')
  await rally.stop()
  expect(warnings).toEqual(['traces cannot be exported', 'the last traces could not be exported'])
})

test('without traces and below debug nothing follows calls', async () => {
  const options = { settings: undefined, current: new CurrentWork(), node: 'n', version: '1' }
  expect(await startTracing({ ...options, log: quietLoggers() })).toBeUndefined()
})

test('no name ends a comment', () => {
  const work = { callId: "a'*/; DROP TABLE users; --", action: 'a*/b', span: undefined, isOver: false }
  expect(sqlComment(work, undefined)).toBe(
    "/*action='a%2A%2Fb',call_id='a%27%2A%2F%3B%20DROP%20TABLE%20users%3B%20--'*/ ",
  )
})
