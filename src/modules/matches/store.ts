import { randomInt, randomUUID } from 'node:crypto'
import type { Prisma } from '../../db/generated/client.ts'
import { type GameName, games } from '../../games/index.ts'
import type { Scope } from '../context.ts'
import { newJoinCode } from './join-code.ts'
import { type MatchRow, withoutReplay, withSeats } from './match-row.ts'
import type { MatchMode, MatchStatus, Visibility } from './types.ts'

/** From the moment that everybody is there to the first tick. */
export const COUNTDOWN_MS = 3_000
const CODE_TRIES = 5

export interface NewMatch {
  readonly game: GameName
  readonly mode: MatchMode
  readonly visibility: Visibility
  readonly options: Prisma.InputJsonObject
  readonly createdBy: string
}

export interface NewSeat {
  readonly seat: number
  readonly userId: string | null
  readonly displayName: string
  readonly connected: boolean
  /** The process that the player's socket is on. */
  readonly nodeId: string | null
}

/** Matches and seats in the database. What changes a match locks its row first, so that versions have one order. */
export const matchStore = {
  find(scope: Scope, where: { id: string } | { code: string; status: 'waiting' }): Promise<MatchRow | null> {
    return scope.db.match.findFirst({ where, include: withSeats, omit: withoutReplay })
  },

  /** Reads a match that nobody else can change until the transaction ends; null when there is none. */
  async lock(scope: Scope, id: string): Promise<MatchRow | null> {
    const locked = await scope.db.$queryRaw<unknown[]>`SELECT 1 FROM matches WHERE id = ${id} FOR UPDATE`
    return locked.length === 0 ? null : matchStore.find(scope, { id })
  },

  async insert(scope: Scope, match: NewMatch, seats: readonly NewSeat[]): Promise<MatchRow> {
    const startsAt = isReady(match.game, seats) ? inCountdown() : null
    return scope.db.match.create({
      data: {
        ...match,
        id: randomUUID(),
        code: await freeCode(scope),
        seed: randomInt(2 ** 31),
        rulesVersion: games[match.game].version,
        startsAt,
        seats: { create: seats.map((seat) => ({ ...seat })) },
      },
      include: withSeats,
      omit: withoutReplay,
    })
  },

  /**
   * Writes changes of a locked match, counts its version up, and starts or calls off the countdown, whichever the
   * seats now ask for.
   */
  async save(scope: Scope, row: MatchRow, data: Prisma.MatchUpdateInput = {}): Promise<MatchRow> {
    const seats = await scope.db.seat.findMany({ where: { matchId: row.id } })
    const status = data.status ?? row.status
    const ready = status === 'waiting' && isReady(row.game, seats)
    const startsAt = status === 'waiting' ? (ready ? (row.startsAt ?? inCountdown()) : null) : row.startsAt
    return scope.db.match.update({
      where: { id: row.id },
      data: { startsAt, ...data, version: { increment: 1 }, updatedAt: new Date() },
      include: withSeats,
      omit: withoutReplay,
    })
  },

  /** The user's matches that are not over. */
  async active(scope: Scope, userId: string): Promise<string[]> {
    const rows = await scope.db.match.findMany({
      where: { status: { in: ['waiting', 'live'] }, seats: { some: { userId } } },
      select: { id: true },
    })
    return rows.map(({ id }) => id)
  },

  list(
    scope: Scope,
    where: Prisma.MatchWhereInput,
    page: { readonly after: { readonly at: Date; readonly id: string } | undefined; readonly take: number },
  ): Promise<MatchRow[]> {
    const { after, take } = page
    const older: Prisma.MatchWhereInput = after
      ? { OR: [{ createdAt: { lt: after.at } }, { createdAt: after.at, id: { lt: after.id } }] }
      : {}
    return scope.db.match.findMany({
      where: { AND: [where, older] },
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
      take,
      include: withSeats,
      omit: withoutReplay,
    })
  },
}

/** Whether a match is still to be decided. */
export function isOpen(status: MatchStatus): boolean {
  return status === 'waiting' || status === 'live'
}

function isReady(game: string, seats: readonly Pick<NewSeat, 'userId' | 'connected'>[]): boolean {
  const rules = games[game as GameName]
  return seats.length === rules?.seats && seats.every(({ userId, connected }) => userId === null || connected)
}

function inCountdown(): Date {
  return new Date(Date.now() + COUNTDOWN_MS)
}

/** A code that no waiting match has. The index has the last word, should two nodes draw the same one at once. */
async function freeCode(scope: Scope): Promise<string> {
  for (let tries = 0; tries < CODE_TRIES; tries++) {
    const code = newJoinCode()
    if ((await scope.db.match.count({ where: { code, status: 'waiting' } })) === 0) return code
  }
  throw new Error('no free join code')
}
