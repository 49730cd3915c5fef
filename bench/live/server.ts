import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { pong } from '../../src/games/pong/index.ts'
import { difference, quantileOf } from '../../src/histogram.ts'
import { startRally } from '../../src/rally.ts'
import { createCookies } from '../../src/server/session-cookie.ts'

// Rally as it is, with a way to be asked for figures and for matches that nobody had to sign in for.
const Question = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('usage') }),
  z.object({ ask: z.literal('bots'), matches: z.number() }),
  z.object({ ask: z.literal('clock') }),
  z.object({ ask: z.literal('seat'), matches: z.number() }),
])

const plenty = '10000000'
const app = await startRally({
  environment: {
    ...process.env,
    NODE_ENV: 'test',
    PORT: '0',
    LOG_LEVEL: 'warn',
    LIMIT_SOCKETS_PER_IP: plenty,
    LIMIT_UPGRADES_BURST: plenty,
    LIMIT_TIMES_PER_IP: '1000000',
    LIMIT_AUTH_PER_IP: plenty,
  },
})

const clock = app.platform.engine.clock
const figuresOf = ({ ticks, skippedTicks, lateness }: typeof clock) => ({
  ticks,
  skippedTicks,
  lateness: lateness.copy(),
})
let before = figuresOf(clock)
let seated = 0
const cookies = createCookies(app.platform.config.secrets.cookie, false)
const CHUNK = 500
const HOUR_MS = 3_600_000

/** Makes matches whose two players only have to connect; gives the cookie of each. */
async function seat(count: number): Promise<{ matchId: string; cookie: string }[]> {
  const { db } = app.platform.database
  const made: { matchId: string; cookie: string }[] = []
  const expiresAt = new Date(Date.now() + HOUR_MS)
  for (let done = 0; done < count; done += CHUNK) {
    const matches = Array.from({ length: Math.min(CHUNK, count - done) }, () => ({
      id: randomUUID(),
      number: seated++,
    }))
    const players = matches.flatMap(({ id, number }) =>
      [0, 1].map((place) => ({
        matchId: id,
        seat: place,
        userId: randomUUID(),
        sessionId: randomUUID(),
        name: `p${number}_${place}`,
      })),
    )
    await db.user.createMany({
      data: players.map(({ userId, name }) => ({
        id: userId,
        username: name,
        displayName: name,
        totpKeyId: 'none',
        totpSecret: new Uint8Array(1),
      })),
    })
    await db.session.createMany({
      data: players.map(({ userId, sessionId }) => ({
        id: sessionId,
        userId,
        userAgent: 'bench',
        ip: '127.0.0.1',
        expiresAt,
      })),
    })
    await db.match.createMany({
      data: matches.map(({ id, number }) => ({
        id,
        game: 'pong',
        mode: 'casual' as const,
        visibility: 'private' as const,
        code: number.toString(32).toUpperCase().padStart(6, '0'),
        options: { pointsToWin: 21 },
        seed: number,
        rulesVersion: pong.version,
        createdBy: id,
      })),
    })
    await db.seat.createMany({
      data: players.map(({ matchId, seat: place, userId, name }) => ({
        matchId,
        seat: place,
        userId,
        displayName: name,
      })),
    })
    for (const { matchId, userId, sessionId } of players) {
      const setCookie = cookies.session(userId, sessionId, expiresAt.getTime())
      made.push({ matchId, cookie: setCookie.split(';')[0] ?? '' })
    }
  }
  return made
}

async function answer(question: z.infer<typeof Question>): Promise<object> {
  switch (question.ask) {
    case 'usage': {
      const { user, system } = process.cpuUsage()
      return { cpuMicros: user + system, rssBytes: process.memoryUsage().rss }
    }
    case 'bots': {
      for (let i = 0; i < question.matches; i++) {
        const options = pong.options.parse({ pointsToWin: 21 })
        app.platform.engine.start({ matchId: randomUUID(), game: pong, seed: i + 1, options, botSeats: [0, 1] })
      }
      return { live: app.platform.engine.size }
    }
    case 'seat':
      return { players: await seat(question.matches) }
    case 'clock': {
      // Since the last time it was asked.
      const now = figuresOf(clock)
      const lateness = difference(now.lateness, before.lateness)
      const figures = {
        ticks: now.ticks - before.ticks,
        skippedTicks: now.skippedTicks - before.skippedTicks,
        p50: quantileOf(lateness, 0.5),
        p99: quantileOf(lateness, 0.99),
        live: app.platform.engine.size,
      }
      before = now
      return figures
    }
  }
}

process.on('message', (message) => {
  void answer(Question.parse(message)).then((reply) => process.send?.(reply))
})
process.once('SIGTERM', () => void app.stop(0).finally(() => process.exit(0)))
process.send?.({ port: app.port })
