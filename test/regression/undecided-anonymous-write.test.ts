import { expect, test } from 'vitest'
import { z } from 'zod'
import { module } from '../../src/modules/define.ts'
import { RpcError } from '../../src/rpc/index.ts'
import { method, openLoopback } from '../support/loopback.ts'

/** A write for anybody that fails with `codes` one after the other, then succeeds. */
function failing(codes: string[]) {
  return module({
    name: 't',
    methods: {
      write: method({
        summary: 'Fails with the next code.',
        access: 'anyone',
        effect: 'write',
        limit: { points: 1000, perSeconds: 60 },
        input: z.object({}),
        output: z.object({ left: z.number() }),
        errors: ['INVALID_CODE'],
        async handle() {
          const code = codes.shift()
          if (code) throw new RpcError(code, undefined, { retryAfterMs: 1 })
          return { left: codes.length }
        },
      }),
    },
    subscriptions: {},
  })
}

test('a retry of an anonymous write without a decision is executed', async () => {
  using socket = openLoopback(failing(['UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL']))
  for (const code of ['UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL']) {
    expect(await socket.request('t.write', {}, 'same')).toMatchObject({ error: code })
  }
  expect((await socket.request('t.write', {}, 'same')).data).toEqual({ left: 0 })
})

test('retries get a declared error again', async () => {
  using socket = openLoopback(failing(['INVALID_CODE']))
  for (let i = 0; i < 2; i++) {
    expect(await socket.request('t.write', {}, 'same')).toMatchObject({ error: 'INVALID_CODE' })
  }
})
