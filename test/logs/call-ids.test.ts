import { expect, test } from 'vitest'
import { z } from 'zod'
import { method, module } from '../../src/modules/define.ts'
import { modules } from '../../src/modules/index.ts'
import { CallIds } from '../../src/rpc/call.ts'
import { connect } from '../support/client.ts'
import { rallyTest } from '../support/rally-test.ts'
import { register, startRally } from '../support/server.ts'

const shared = {
  access: 'anyone',
  limit: { points: 100, perSeconds: 1 },
  input: z.object({}),
  output: z.object({}),
} as const

/** A module whose handlers log and fail. */
const talking = module({
  name: 'talking',
  methods: {
    say: method({
      summary: 'Logs two lines.',
      ...shared,
      effect: 'read',
      handle: ({ ctx }) => {
        ctx.log.warn({ seat: 1 }, 'first')
        ctx.log.warn({ seat: 2 }, 'second')
        return {}
      },
    }),
    crash: method({
      summary: 'Fails.',
      ...shared,
      effect: 'read',
      handle: () => Promise.reject(new Error('out of order')),
    }),
  },
  subscriptions: {},
})

const lines: string[] = []
const withRally = rallyTest({
  modules: { ...modules, talking },
  config: { logLevel: 'warn' },
  writeLogLine: (line) => void lines.push(line),
})

const taken = () => lines.splice(0).map((line): Record<string, unknown> => JSON.parse(line))

withRally('ctx.log has the ids of the call, and they differ between calls with one eid', async ({ rally }) => {
  await using client = await connect(rally.url)
  for (let i = 0; i < 2; i++) await client.request('talking.say', {}, { eid: 'mine' })
  const said = taken().filter(({ name }) => name === 'talking')
  expect(said).toMatchObject(Array(4).fill({ eid: 'mine', callId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-z]+$/) }))
  const [first, second, third] = said.map(({ callId }) => callId)
  expect(first).toBe(second)
  expect(third).not.toBe(first)
})

withRally('an answer INTERNAL has a line with call id, eid and cause', async ({ rally }) => {
  await using client = await connect(rally.url)
  expect(await client.request('talking.crash', {}, { eid: 'broken' })).toMatchObject({ error: 'INTERNAL' })
  expect(taken()).toMatchObject([
    {
      level: 50,
      name: 'rpc',
      type: 'talking.crash',
      eid: 'broken',
      callId: expect.any(String),
      err: { message: 'out of order' },
    },
  ])
})

withRally('at debug each request has one line; at info there is none', async ({ rally, options }) => {
  const config = { ...rally.config, logLevel: 'debug' }
  await using talkative = await startRally({ ...options, database: rally.database, config })
  const ada = await register(talkative.url, 'ada')
  await using client = await connect(talkative.url, { cookie: ada.cookie })
  await client.request('talking.crash', {}, { eid: 'first' })
  await client.request('auth.me', {}, { eid: 'second' })
  await client.request('nothing.known', {}, { eid: 'third' })
  const ids = { eid: 'first', callId: expect.any(String), userId: ada.id }
  const requests = taken().filter(({ msg, userId }) => msg === 'a request' && userId === ada.id)
  expect(requests).toEqual([
    expect.objectContaining({ level: 20, ...ids, type: 'talking.crash', ms: expect.any(Number), outcome: 'INTERNAL' }),
    expect.objectContaining({
      level: 20,
      ...ids,
      eid: 'second',
      type: 'auth.me',
      ms: expect.any(Number),
      outcome: 'OK',
    }),
  ])
  await client.request('talking.say')
  expect(lines.filter((line) => line.match(/"callId"/g)?.length !== 1 && line.includes('"talking"'))).toEqual([])
  taken()
  await using quiet = await connect(rally.url)
  await quiet.request('rpc.ping')
  expect(taken()).toEqual([])
})

test('ids of two nodes differ', () => {
  const [a, b] = [new CallIds('0a1b2c3d-0000'), new CallIds('ffffffff-0000')]
  expect([a.idOf(a.next()), a.idOf(a.next()), b.idOf(b.next())]).toEqual(['0a1b2c3d-1', '0a1b2c3d-2', 'ffffffff-1'])
})
