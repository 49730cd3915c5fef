import { expect, test } from 'vitest'
import { z } from 'zod'
import { module } from '../../src/modules/define.ts'
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
