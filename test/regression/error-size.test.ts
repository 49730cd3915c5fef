import { expect, test } from 'vitest'
import { z } from 'zod'
import { module } from '../../src/modules/define.ts'
import { RpcError } from '../../src/rpc/index.ts'
import { method, openLoopback } from '../support/loopback.ts'

const MAX_ANSWER_BYTES = 2048

// One, two, three and four bytes in UTF-8, and six once escaped.
test.for(['a', 'é', '字', '😀', '\u0001'])('an error answer made of %j fits into 2 KiB', async (character) => {
  const long = character.repeat(1000)
  const issues = Array.from({ length: 50 }, () => ({ path: long, message: long }))
  const failures = module({
    name: 'x'.repeat(32),
    methods: {
      ['y'.repeat(32)]: method({
        summary: 'Fails with a long error.',
        access: 'anyone',
        effect: 'read',
        limit: { points: 1000, perSeconds: 60 },
        input: z.object({}),
        output: z.object({}),
        handle() {
          throw new RpcError('VALIDATION_FAILED', long, { issues, retryAfterMs: 86_400_000 })
        },
      }),
    },
    subscriptions: {},
  })
  using socket = openLoopback(failures)
  const eid = '\u0001'.repeat(64)
  const answer = await socket.request(`${'x'.repeat(32)}.${'y'.repeat(32)}`, {}, eid)
  expect(answer).toMatchObject({ error: 'VALIDATION_FAILED', data: { retryAfterMs: 86_400_000 } })
  expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(MAX_ANSWER_BYTES)
  expect(answer.data).toHaveProperty('issues.0')
})
