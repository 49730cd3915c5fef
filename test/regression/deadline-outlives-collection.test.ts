import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { until } from '../../src/db/embedded/process.ts'

test('a deadline with a signal is kept, even after garbage collections', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const signal = until(performance.now() + 300, new AbortController().signal)
  const collecting = setInterval(collect, 20)
  try {
    await once(signal, 'abort', { signal: AbortSignal.timeout(5_000) })
  } finally {
    clearInterval(collecting)
  }
  expect(signal.reason).toMatchObject({ name: 'TimeoutError' })
})
