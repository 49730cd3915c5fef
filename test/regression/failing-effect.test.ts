import { expect, test } from 'vitest'
import { z } from 'zod'
import { module } from '../../src/modules/define.ts'

import { callerUser } from '../support/caller-user.ts'
import { method, openLoopback } from '../support/loopback.ts'

test('when an effect fails, the committed write is still answered and the other effects still run', async () => {
  const done: string[] = []
  const writes = module({
    name: 't',
    methods: {
      write: method({
        summary: 'Writes, with three effects.',
        access: 'user',
        effect: 'write',
        limit: { points: 1000, perSeconds: 60 },
        input: z.object({}),
        output: z.object({}),
        async handle({ ctx }) {
          ctx.call.afterCommit(() => done.push('first'))
          ctx.call.afterCommit(() => {
            throw new Error('the second effect fails')
          })
          ctx.call.afterCommit(() => done.push('third'))
          return {}
        },
      }),
    },
    subscriptions: {},
  })
  using socket = openLoopback(writes, callerUser('ada'))
  const answer = await socket.request('t.write')
  expect(answer).not.toHaveProperty('error')
  expect(done).toEqual(['first', 'third'])
  expect(socket.errors).toMatchObject([{ type: 't.write', err: { message: 'the second effect fails' } }])
})
