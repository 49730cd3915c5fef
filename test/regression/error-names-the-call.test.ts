import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { RallyError } from '../../src/client/index.ts'
import { test } from '../client/support.ts'

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
