import { expect, test } from 'vitest'
import { z } from 'zod'
import { module } from '../../src/modules/define.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import { Executor } from '../../src/rpc/executor.ts'
import { Admission, Call, type Once, RpcError } from '../../src/rpc/index.ts'
import { createRegistry } from '../../src/rpc/registry.ts'
import { callerUser } from '../support/caller-user.ts'
import { type LoopbackContext, method } from '../support/loopback.ts'

const ada = callerUser('ada')
const caller = { user: ada, sessionId: 's1', token: null, ip: '192.0.2.1', userAgent: '', device: null }

/** Runs `t.write`, twice a minute at most, the way `once` lets it. */
function executorWith(
  once: Partial<Once<object>>,
  handle: (call: Call<object>) => void = () => undefined,
  prepare = () => {},
) {
  const write = method({
    summary: 'Writes.',
    access: 'user',
    effect: 'write',
    limit: { points: 2, perSeconds: 60 },
    input: z.object({}),
    output: z.object({ n: z.number() }),
    errors: ['NOT_FOUND'],
    prepare,
    handle({ ctx }) {
      handle(ctx.call)
      return { n: 1 }
    },
  })
  const entry = createRegistry([module({ name: 't', methods: { write }, subscriptions: {} })]).get('t.write')
  if (!entry) throw new Error('no entry')
  const executor = new Executor<LoopbackContext, object>(
    {
      once: {
        recall: () => undefined,
        run: async (_, execute) => ({ answer: await execute({}), executed: true }),
        ...once,
      },
      createContext: (call) => ({ call, user: call.caller.user }),
      checkOutput: true,
      translateError: () => undefined,
      log: { error: () => undefined },
    },
    new Admission(defaultLimits),
  )
  return async () => executor.execute(new Call(caller, null, 't.write', 'e'), entry, write, {}, performance.now())
}

const refused = expect.objectContaining({ code: 'RATE_LIMITED' })

test('a remembered write is answered and does not count against the limit', async () => {
  const run = executorWith({ recall: () => '{"data":{"n":7}}' })
  for (let i = 0; i < 5; i++) expect(await run()).toBe('{"data":{"n":7}}')
})

test('a write that another node has executed does not count against the limit; one that is executed here does', async () => {
  let isKept = true
  const run = executorWith({
    run: async (_, execute) =>
      isKept ? { answer: '{"data":{"n":7}}', executed: false } : { answer: await execute({}), executed: true },
  })
  for (let i = 0; i < 5; i++) expect(await run()).toBe('{"data":{"n":7}}')
  isKept = false
  expect(await run()).toBe('{"data":{"n":1}}')
  expect(await run()).toBe('{"data":{"n":1}}')
  await expect(run()).rejects.toEqual(refused)
})

test('a write over its limit is refused before it begins', async () => {
  let begun = 0
  const run = executorWith({
    async run(_, execute) {
      begun++
      return { answer: await execute({}), executed: true }
    },
  })
  await run()
  await run()
  await expect(run()).rejects.toEqual(refused)
  expect(begun).toBe(2)
})

test('when a transaction ran twice, the effects of the second run happen once', async () => {
  const effects: number[] = []
  let attempt = 0
  const run = executorWith(
    {
      async run(_, execute) {
        await execute({})
        return { answer: await execute({}), executed: true }
      },
    },
    (call) => {
      const own = ++attempt
      call.afterCommit(() => effects.push(own))
    },
  )
  await run()
  expect(effects).toEqual([2])
})

test('a write that was rolled back has no effects', async () => {
  const effects: number[] = []
  const run = executorWith({ run: async (_, execute) => ({ answer: await execute({}), executed: false }) }, (call) =>
    call.afterCommit(() => effects.push(1)),
  )
  await run()
  expect(effects).toEqual([])
})

test('a write prepares once before its transaction begins, however often that runs', async () => {
  const steps: string[] = []
  const run = executorWith(
    {
      async run(_, execute) {
        steps.push('begin')
        await execute({})
        return { answer: await execute({}), executed: true }
      },
    },
    () => void steps.push('handle'),
    () => void steps.push('prepare'),
  )
  await run()
  expect(steps).toEqual(['prepare', 'begin', 'handle', 'handle'])
})

test('only a declared failure is kept', async () => {
  const kept: unknown[] = []
  const run = executorWith({
    async run(_, __, answerOf = () => undefined) {
      for (const error of [new RpcError('NOT_FOUND'), new RpcError('UNAVAILABLE'), new Error('a mistake')]) {
        kept.push(answerOf(error))
      }
      return { answer: '{}', executed: false }
    },
  })
  await run()
  expect(kept).toEqual([expect.stringContaining('"error":"NOT_FOUND"'), undefined, undefined])
})
