// The server of a soak: Rally with its environment, which its parent process asks for memory and for what it holds.
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapCodeStatistics } from 'node:v8'
import { startRally } from '../../src/rally.ts'
import type { Answer, Question } from './server-process.ts'
import { forgetGarbage, grown, noteIdle } from './tracked-maps.ts'

const { gc } = globalThis
if (!gc) throw new Error('start it with --expose-gc')

const rally = await startRally()
const { connections, engine } = rally.platform
await collectGarbage()
noteIdle()

process.on('message', (question: Question) => {
  answer(question).then(
    (data) => process.send?.(data),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit(1))
// Ctrl-C reaches the parent too, which ends this process in order.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => void rally.stop().finally(() => process.exit(0)))
process.send?.({ url: rally.url })

async function answer(question: Question): Promise<Answer> {
  switch (question.ask) {
    case 'load':
      return { sockets: connections.size, matches: engine.size }
    case 'memory': {
      await collectGarbage()
      const { heapUsed, external, rss } = process.memoryUsage()
      return { heldBytes: heapUsed + external - codeBytes(), residentBytes: rss }
    }
    case 'skip':
      skip(question.ms)
      return {}
    case 'held':
      await collectGarbage()
      return { held: grown() }
  }
}

/** What V8 compiles what is called often to. That takes an hour to be complete where little is called. */
function codeBytes(): number {
  const code = getHeapCodeStatistics()
  return code.code_and_metadata_size + code.bytecode_and_metadata_size
}

/** Finalizers and weak references need turns of the event loop between the collections. */
async function collectGarbage(): Promise<void> {
  for (let runs = 0; runs < 3; runs++) {
    gc?.()
    await sleep(10)
    forgetGarbage()
  }
  gc?.()
}

/** Lets time pass for everything that measures by the monotonic clock. Timers keep their time. */
function skip(ms: number): void {
  const now = performance.now.bind(performance)
  performance.now = () => now() + ms
}
