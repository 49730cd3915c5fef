import { expect, test } from 'vitest'
import { z } from 'zod'
import { module } from '../../src/modules/define.ts'
import type { Once } from '../../src/rpc/index.ts'
import { callerUser } from '../support/caller-user.ts'
import { method, openLoopback } from '../support/loopback.ts'

test('a write whose outcome is in doubt is answered with UNAVAILABLE, and has its effects when it turns out to be done', async () => {
  let found: (value: undefined) => void = () => undefined
  const outcome = new Promise<undefined>((resolve) => {
    found = resolve
  })
  const once: Once<object> = {
    recall: () => undefined,
    async run(_key, execute, _answerOf, onDoubt) {
      const answer = await execute({})
      onDoubt?.()
      await outcome
      return { answer, executed: true }
    },
  }
  let happened: (value: string) => void = () => undefined
  const happening = new Promise<string>((resolve) => {
    happened = resolve
  })
  const writes = module({
    name: 't',
    methods: {
      write: method({
        summary: 'Writes, with an effect.',
        access: 'user',
        effect: 'write',
        limit: { points: 1000, perSeconds: 60 },
        input: z.object({}),
        output: z.object({}),
        async handle({ ctx }) {
          ctx.call.afterCommit(() => happened('it did'))
          return {}
        },
      }),
    },
    subscriptions: {},
  })
  using socket = openLoopback(writes, callerUser('ada', 'u1'), once)
  expect(await socket.request('t.write', {}, 'e')).toMatchObject({
    error: 'UNAVAILABLE',
    data: { retryAfterMs: 1000 },
  })
  found(undefined)
  expect(await happening).toBe('it did')
  expect(socket.errors).toEqual([])
})
