import { App, us_socket_local_port } from 'uWebSockets.js'
import pg from 'pg'
import { z } from 'zod'
import type { Sql, Statement } from '../../src/db/sql.ts'
import { ANSWER, CLAIM } from '../../src/db/stored-answers.ts'
import { pong } from '../../src/games/pong/index.ts'
import { readMatches, toMatch } from '../../src/modules/matches/match-row.ts'
import { leaveMatch, openMatch, seatCountsOf } from '../../src/modules/matches/match-writes.ts'
import { report } from '../support/child.ts'

// The same jobs written by hand: uWebSockets.js, JSON, zod, and pg with the statements that Rally has.
const Envelope = z.object({
  type: z.string().max(65),
  eid: z.string().min(1).max(64),
  ts: z.number(),
  data: z.unknown(),
})
const MatchKey = z.object({ matchId: z.uuid() })
const seatCounts = seatCountsOf({ pong })
const Creation = z.object({
  game: z.literal(pong.name),
  mode: z.enum(['casual', 'local', 'bot']),
  visibility: z.enum(['public', 'private']).default('public'),
})

const PUBLIC_URL = 'https://rally.example'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL ?? '', max: 10, pipeline: true })

interface Queryable {
  query<Row extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<Row>>
}

function sqlOn(on: Queryable): Sql {
  const rows = async <Row>({ name, text }: Statement<Row>, values: readonly unknown[] = []) =>
    (await on.query<Row & pg.QueryResultRow>({ name, text, values: [...values] })).rows
  return { rows, first: async (statement, values) => (await rows(statement, values))[0] ?? null }
}

const read = sqlOn(pool)

/** A transaction with the claim and the answer of a write, pipelined. */
async function write(userId: string, eid: string, type: string, work: (sql: Sql) => Promise<unknown>): Promise<string> {
  const client = await pool.connect()
  const sql = sqlOn(client)
  try {
    void client.query('BEGIN')
    const claimed = await sql.first(CLAIM, [userId, eid, type, null])
    if (!claimed) throw new Error('it was claimed before')
    const answer = JSON.stringify(await work(sql))
    void sql.rows(ANSWER, [userId, eid, answer])
    await client.query('COMMIT')
    return answer
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

async function answer(userId: string, { type, eid, data }: z.infer<typeof Envelope>): Promise<string> {
  if (type === 'matches.getOne') {
    const [row] = await readMatches(read, [MatchKey.parse(data).matchId])
    if (!row) throw new Error('no such match')
    return JSON.stringify(toMatch(row, PUBLIC_URL))
  }
  if (type === 'matches.create') {
    const { mode, visibility } = Creation.parse(data)
    return write(userId, eid, type, async (sql) => {
      const match = { game: pong, mode, visibility, options: { pointsToWin: 11 }, ownSeats: [0], botSeats: [] }
      const opened = await openMatch(sql, match, {
        userId,
        isHere: true,
        maxActive: 1000,
        countdownMs: 3000,
        seatCounts,
      })
      if (!opened?.row) throw new Error('not opened')
      return toMatch(opened.row, PUBLIC_URL)
    })
  }
  if (type === 'matches.leave') {
    const { matchId } = MatchKey.parse(data)
    return write(userId, eid, type, async (sql) => {
      const left = await leaveMatch(sql, matchId, userId)
      if (!left) throw new Error('no such match')
      return toMatch(left.row, PUBLIC_URL)
    })
  }
  return '{}'
}

App()
  .ws<{ userId: string }>('/ws', {
    maxPayloadLength: 64 * 1024,
    upgrade(res, req, context) {
      res.upgrade(
        { userId: req.getHeader('x-user') },
        req.getHeader('sec-websocket-key'),
        req.getHeader('sec-websocket-protocol'),
        req.getHeader('sec-websocket-extensions'),
        context,
      )
    },
    message(ws, message) {
      const envelope = Envelope.safeParse(JSON.parse(Buffer.from(message).toString()))
      if (!envelope.success) return
      const { type, eid } = envelope.data
      if (type === 'rpc.ping' || type === 'auth.me') {
        ws.send(JSON.stringify({ type, data: {}, eid, ts: Date.now() }))
        return
      }
      void answer(ws.getUserData().userId, envelope.data).then((text) =>
        ws.send(`{"type":"${type}","data":${text},"eid":"${eid}","ts":${Date.now()}}`),
      )
    },
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket) report(us_socket_local_port(socket))
  })
process.once('SIGTERM', () => process.exit(0))
