import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { RallyError } from '../../src/client/index.ts'
import { once, test } from '../client/support.ts'

const here = basename(fileURLToPath(import.meta.url))

test('the stack of a refused call leads to the line that made it', async ({ server, rally }) => {
  server.on('things.get', () => ({ error: 'NOT_FOUND', data: { message: 'There is no such thing' } }))
  async function callFromHere() {
    await rally.things.get({ id: '1' })
  }
  const error = await callFromHere().catch((reason: unknown) => reason)
  if (!(error instanceof RallyError)) throw new Error('no RallyError')
  const [first, ...frames] = (error.stack ?? '').split('\n')
  expect(first).toBe('RallyError [NOT_FOUND]: There is no such thing')
  expect(frames.find((line) => line.includes('callFromHere'))).toContain(here)

  const outcome = await rally.things.get.try({ id: '1' })
  expect(outcome.ok ? '' : outcome.error.stack).toContain(here)
})

test('so does the stack of an aborted call', async ({ rally }) => {
  const error = await rally.things.get({ id: '1' }, { timeoutMs: 20 }).catch((reason: unknown) => reason)
  expect(error instanceof RallyError && error.stack).toContain(here)
})

test('so do the stacks of a stream that is refused, for each of its listeners', async ({ server, rally }) => {
  server.on('things.onThing', () => ({ error: 'NOT_FOUND', data: { message: 'There is no such thing' } }))
  const unheard = once(rally, 'error')
  const heard = new Promise<RallyError>((resolve) => {
    function listenFromHere() {
      rally.things.onThing({ id: '1' }, { next: () => undefined, error: resolve })
    }
    listenFromHere()
  })
  function listenFromThere() {
    rally.things.onThing({ id: '1' }, { next: () => undefined })
  }
  listenFromThere()
  for (const [error, place] of [
    [await heard, 'listenFromHere'],
    [await unheard, 'listenFromThere'],
  ] as const) {
    expect(error.stack).toContain('RallyError [NOT_FOUND]: There is no such thing')
    expect(error.stack?.split('\n').find((line) => line.includes(place))).toContain(here)
    expect(error.type).toBe('things.onThing')
  }
})

test('so does the stack of a refused call that has no answer', async ({ server, rally }) => {
  server.on('live.input', () => ({ error: 'NOT_LIVE', data: { message: 'The match is over' } }))
  const unheard = once(rally, 'error')
  server.on('things.get', () => ({ data: { name: 'one' } }))
  await rally.things.get({ id: '1' })
  async function inputFromHere() {
    await rally.live.input({ move: 1 })
  }
  await inputFromHere()
  const { stack = '' } = await unheard
  expect(stack).toContain('RallyError [NOT_LIVE]: The match is over')
  expect(stack.split('\n').find((line) => line.includes('inputFromHere'))).toContain(here)
})
