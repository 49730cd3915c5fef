// The fuzzed server, in a process of its own, so that a crash of native code is detected.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { startRally } from '../../src/rally.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const app = await startRally()

process.on('message', async (question) => {
  if (question === 'stop') {
    await app.stop()
    process.disconnect()
    return
  }
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(setImmediate)
  }
  const { heapUsed, rss, external } = process.memoryUsage()
  const inFlight = [...app.platform.connections].reduce((sum, connection) => sum + connection.inFlight, 0)
  process.send?.({ inFlight, heapUsed, rss, external })
})

// The parent process is gone.
process.on('disconnect', () => process.exit())
process.send?.({ url: app.url })
