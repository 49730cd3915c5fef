import { randomBytes, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { startRally } from '../../src/rally.ts'
import { createCookies } from '../../src/server/session-cookie.ts'

// Rally as it is, with a way to be asked for figures and for rooms whose members did not have to sign in.
const Question = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('usage') }),
  z.object({ ask: z.literal('rooms'), rooms: z.number(), members: z.number() }),
])

const plenty = '10000000'
const app = await startRally({
  environment: {
    ...process.env,
    NODE_ENV: 'production',
    PUBLIC_URL: 'http://localhost',
    PORT: '0',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    JWT_SECRET: randomBytes(32).toString('base64'),
    COOKIE_SECRET: randomBytes(32).toString('base64'),
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    LIMIT_SOCKETS_PER_IP: plenty,
    LIMIT_UPGRADES_BURST: plenty,
    LIMIT_TIMES_PER_IP: '1000000',
  },
})
const { config } = app.platform
const cookies = createCookies(config.secrets.cookie, true)
const HOUR_MS = 3_600_000
let made = 0

/** Makes rooms with their members; gives the cookie of each. */
async function makeRooms(rooms: number, members: number): Promise<{ roomId: string; cookie: string }[]> {
  const { db } = app.platform.database
  const expiresAt = new Date(Date.now() + HOUR_MS)
  const places = Array.from({ length: rooms }, () => randomUUID()).flatMap((roomId) =>
    Array.from({ length: members }, () => ({
      roomId,
      userId: randomUUID(),
      sessionId: randomUUID(),
      name: `player_${made++}`,
    })),
  )
  await db.user.createMany({
    data: places.map(({ userId, name }) => ({
      id: userId,
      username: name,
      displayName: name,
      totpKeyId: 'none',
      totpSecret: new Uint8Array(1),
    })),
  })
  await db.session.createMany({
    data: places.map(({ userId, sessionId }) => ({
      id: sessionId,
      userId,
      userAgent: 'bench',
      ip: '127.0.0.1',
      expiresAt,
    })),
  })
  const hosts = places.filter((_, index) => index % members === 0)
  await db.room.createMany({
    data: hosts.map(({ roomId, userId }) => ({
      id: roomId,
      name: 'Bench',
      kind: 'coop' as const,
      capacity: members,
      hostId: userId,
    })),
  })
  await db.roomMember.createMany({ data: places.map(({ roomId, userId }) => ({ roomId, userId })) })
  return places.map(({ roomId, userId, sessionId }) => ({
    roomId,
    cookie: cookies.session(userId, sessionId, expiresAt.getTime()).split(';')[0] ?? '',
  }))
}

async function answer(question: z.infer<typeof Question>): Promise<object> {
  if (question.ask === 'rooms') return { members: await makeRooms(question.rooms, question.members) }
  const { user, system } = process.cpuUsage()
  return { cpuMicros: user + system, rssBytes: process.memoryUsage().rss }
}

process.on('message', (message) => {
  void answer(Question.parse(message)).then((reply) => process.send?.(reply))
})
process.once('SIGTERM', () => void app.stop(0).finally(() => process.exit(0)))
process.send?.({ port: app.port })
