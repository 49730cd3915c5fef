import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { latenessQuantile } from '../../src/engine/index.ts'
import { pong } from '../../src/games/pong/index.ts'

// Rally as it is, with a way to be asked for figures and for matches that nobody had to sign in for.
const Question = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('usage') }),
  z.object({ ask: z.literal('bots'), matches: z.number() }),
  z.object({ ask: z.literal('clock') }),
])

const plenty = '10000000'
const app = await startApp(
  readConfig({
    ...process.env,
    NODE_ENV: 'test',
    PORT: '0',
    LOG_LEVEL: 'warn',
    LIMIT_SOCKETS_PER_IP: plenty,
    LIMIT_AUTH_PER_IP: plenty,
  }),
)

let before = app.engine.clock.figures

function answer(question: z.infer<typeof Question>): object {
  switch (question.ask) {
    case 'usage': {
      const { user, system } = process.cpuUsage()
      return { cpuMicros: user + system, rssBytes: process.memoryUsage().rss }
    }
    case 'bots':
      for (let i = 0; i < question.matches; i++) {
        const options = pong.options.parse({ pointsToWin: 21 })
        app.engine.start({ matchId: randomUUID(), game: pong, seed: i + 1, options, botSeats: [0, 1] })
      }
      return { live: app.engine.size }
    case 'clock': {
      // Since the last time it was asked.
      const now = app.engine.clock.figures
      const lateness = now.lateness.map((count, bucket) => count - (before.lateness[bucket] ?? 0))
      const figures = {
        ticks: now.ticks - before.ticks,
        skippedTicks: now.skippedTicks - before.skippedTicks,
        p50: latenessQuantile(lateness, 0.5),
        p99: latenessQuantile(lateness, 0.99),
        live: app.engine.size,
      }
      before = now
      return figures
    }
  }
}

process.on('message', (message) => {
  const question = Question.parse(message)
  process.send?.(answer(question))
})
process.once('SIGTERM', () => void app.stop().finally(() => process.exit(0)))
process.send?.({ port: app.port })
