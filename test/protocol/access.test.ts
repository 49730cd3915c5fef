import { expect, test } from 'vitest'
import { z } from 'zod'
import { module } from '../../src/modules/define.ts'
import type { TokenScope } from '../../src/protocol/index.ts'
import { channel } from '../../src/rpc/index.ts'
import { callerUser } from '../support/caller-user.ts'
import { method, openLoopback, subscription } from '../support/loopback.ts'

test('what is for admins is refused to nobody and to players, before its input is read', async () => {
  const handled: string[] = []
  const asked = { access: 'admin', effect: 'read', input: z.object({ n: z.number() }), output: z.object({}) } as const
  const stop = method({
    summary: 'Stops the server.',
    ...asked,
    handle: ({ ctx }) => {
      handled.push(ctx.user.username)
      return {}
    },
  })
  const onStop = subscription({
    summary: 'Tells of stops.',
    access: 'admin',
    delivery: 'latest',
    input: z.object({}),
    event: z.object({}),
    open: () => ({ channel: channel<Record<string, never>>('t.onStop'), seq: 0, snapshot: {} }),
  })
  const own = module({ name: 't', methods: { stop }, subscriptions: { onStop } })
  using nobody = openLoopback(own)
  using player = openLoopback(own, callerUser('ada'))
  using admin = openLoopback(own, { ...callerUser('root'), role: 'admin' })
  for (const type of ['t.stop', 't.onStop']) {
    expect(await nobody.request(type, 'no input')).toMatchObject({ error: 'UNAUTHENTICATED' })
    expect(await player.request(type, 'no input')).toMatchObject({ error: 'FORBIDDEN' })
  }
  expect(await admin.request('t.stop', 'no input')).toMatchObject({ error: 'VALIDATION_FAILED' })
  expect(handled).toEqual([])
  expect((await admin.request('t.stop', { n: 1 })).error).toBeUndefined()
  expect((await admin.request('t.onStop')).data).toMatchObject({ channel: 't.onStop' })
  expect(handled).toEqual(['root'])
  expect(player.errors).toEqual([])
})

test('a token does what its scopes allow, and nothing that is for admins', async () => {
  const summary = 'Does nothing.'
  const asked = { summary, input: z.object({}), output: z.object({}), handle: () => ({}) } as const
  const user = { ...asked, access: 'user' } as const
  const limit = { points: 10, perSeconds: 60 }
  const methods = {
    read: method({ ...user, effect: 'read' }),
    readAll: method({ ...asked, access: 'anyone', effect: 'read', limit }),
    write: method({ ...user, effect: 'write', limit }),
    input: method({ ...user, effect: 'input' }),
    play: method({ ...user, effect: 'write', limit, scope: 'play' }),
    score: method({ ...user, effect: 'write', limit, scope: 'scores:write' }),
    open: method({ ...user, effect: 'write', limit, scope: 'any' }),
    admin: method({ ...asked, access: 'admin', effect: 'read' }),
  }
  const onThing = subscription({
    summary,
    access: 'anyone',
    delivery: 'latest',
    limit,
    input: z.object({}),
    event: z.object({}),
    open: () => ({ channel: channel<Record<string, never>>('t.onThing'), seq: 0, snapshot: {} }),
  })
  const own = module({ name: 't', methods, subscriptions: { onThing } })
  const allowedTo = async (...scopes: TokenScope[]) => {
    using program = openLoopback(own, { ...callerUser('ada'), role: 'admin' }, undefined, { id: 'token-1', scopes })
    const allowed: string[] = []
    for (const name of [...Object.keys(methods), 'onThing']) {
      const { error } = await program.request(`t.${name}`)
      if (error === undefined) allowed.push(name)
      else expect({ name, error }).toEqual({ name, error: 'FORBIDDEN' })
    }
    expect((await program.request('rpc.ping')).error).toBeUndefined()
    return allowed
  }
  expect(await allowedTo('read')).toEqual(['read', 'readAll', 'open', 'onThing'])
  expect(await allowedTo('play')).toEqual(['play', 'open'])
  expect(await allowedTo('scores:write')).toEqual(['score', 'open'])
  expect(await allowedTo()).toEqual(['open'])
})
