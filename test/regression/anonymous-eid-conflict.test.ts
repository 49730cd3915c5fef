import { expect, test } from 'vitest'
import { z } from 'zod'
import { module } from '../../src/modules/define.ts'

import { method, openLoopback } from '../support/loopback.ts'

const write = (answer: string) =>
  method({
    summary: 'Writes.',
    access: 'anyone',
    effect: 'write',
    limit: { points: 1000, perSeconds: 60 },
    input: z.object({}),
    output: z.object({ answer: z.string() }),
    handle: async () => ({ answer }),
  })

test('an eid of an anonymous write cannot be used for another type', async () => {
  using socket = openLoopback(module({ name: 't', methods: { a: write('a'), b: write('b') }, subscriptions: {} }))
  expect((await socket.request('t.a', {}, 'same')).data).toEqual({ answer: 'a' })
  expect(await socket.request('t.b', {}, 'same')).toMatchObject({ error: 'CONFLICT' })
  expect((await socket.request('t.a', {}, 'same')).data).toEqual({ answer: 'a' })
})
