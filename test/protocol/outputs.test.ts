import { expect, test } from 'vitest'
import { z } from 'zod'
import { module } from '../../src/modules/define.ts'
import { channel } from '../../src/rpc/index.ts'
import { callerUser } from '../support/caller-user.ts'
import { method, openLoopback, subscription } from '../support/loopback.ts'

const User = z.object({ id: z.string(), bio: z.string().optional() })
type User = z.infer<typeof User>
/** A row of the database, with a column that nobody may see. */
const row = { id: 'u1', totpSecret: 'JBSWY3DP' }
const people = channel<User>('t.onUser')
const caller = callerUser('ada')

const define = { access: 'anyone', limit: { points: 1000, perSeconds: 60 }, input: z.object({}) } as const
const leaky = module({
  name: 't',
  methods: {
    read: method({ summary: 'Gives a row.', ...define, effect: 'read', output: User, handle: () => row }),
    readLater: method({
      summary: 'Gives a row later.',
      ...define,
      effect: 'read',
      output: User,
      handle: async () => row,
    }),
    write: method({ summary: 'Writes a row.', ...define, effect: 'write', output: User, handle: () => row }),
    list: method({
      summary: 'Lists rows.',
      ...define,
      effect: 'read',
      output: z.object({ items: z.array(z.object({ at: z.number(), user: User.nullable() })) }),
      handle: () => ({
        items: [
          { at: 1, user: null },
          { at: 2, user: row },
        ],
      }),
    }),
    clean: method({
      summary: 'Gives what its schema allows.',
      ...define,
      effect: 'read',
      output: z.object({ user: User, options: z.record(z.string(), z.unknown()), list: z.array(z.unknown()) }),
      handle: () => ({ user: { id: 'u1', bio: undefined }, options: { a: { b: 1 } }, list: [{ c: 2 }] }),
    }),
  },
  subscriptions: {
    onUser: subscription({
      summary: 'Follows a row.',
      ...define,
      delivery: 'latest',
      input: z.object({ with: z.enum(['leak', 'missed', 'nothing']) }),
      event: User,
      open: ({ input }) => {
        const opened = { channel: people, seq: 1 }
        if (input.with === 'missed') return { ...opened, missed: [{ seq: 1, data: row }] }
        return { ...opened, snapshot: input.with === 'leak' ? row : { id: 'u1' } }
      },
    }),
  },
})

test.each([
  ['t.read', {}, 'totpSecret'],
  ['t.readLater', {}, 'totpSecret'],
  ['t.write', {}, 'totpSecret'],
  ['t.list', {}, 'items.1.user.totpSecret'],
  ['t.onUser', { with: 'leak' }, 'totpSecret'],
  ['t.onUser', { with: 'missed' }, 'totpSecret'],
])('%s with %o is not answered while it leaks a column, and the log names it', async (type, data, path) => {
  for (const user of [null, caller]) {
    using socket = openLoopback(leaky, user)
    const answer = await socket.request(type, data)
    expect(answer.error).toBe('INTERNAL')
    expect(JSON.stringify(answer)).not.toContain('JBSWY3DP')
    const issues = JSON.stringify([{ path, message: 'is not in the schema' }])
    expect(socket.errors).toMatchObject([
      { err: { message: `${type} answers what its schema does not allow: ${issues}` } },
    ])
  }
})

test('an event that leaks a column is logged', async () => {
  using socket = openLoopback(leaky)
  await socket.request('t.onUser', { with: 'nothing' })
  socket.hub.publish(people, 2, row)
  expect(socket.errors).toEqual([
    { type: 't.onUser', issues: [{ path: 'totpSecret', message: 'is not in the schema' }] },
  ])
})

test('keys that a schema allows are no leak', async () => {
  using socket = openLoopback(leaky)
  expect(await socket.request('t.clean')).toMatchObject({ data: { user: { id: 'u1' }, options: { a: { b: 1 } } } })
  expect(socket.errors).toEqual([])
})
