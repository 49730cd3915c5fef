import { randomInt, randomUUID } from 'node:crypto'
import type { Prisma } from '../../db/generated/client.ts'
import { type GameName, games, isGameName } from '../../games/index.ts'
import type { Scope } from '../context.ts'
import { newJoinCode } from './join-code.ts'
import type { ListOrder } from './list-page.ts'
import { type MatchRow, withoutReplay, withSeats } from './match-row.ts'
import type { MatchMode, MatchStatus, Visibility } from './types.ts'

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
}

export interface PageOf {
  /** Where the page before ended. */
  readonly after: { readonly at: Date; readonly id: string } | undefined
  readonly take: number
  /** What the list is sorted by, newest first. */
  readonly by: ListOrder
}

/**
 * Matches and seats in the database. What changes a match locks its row before its seats or a user, and of several
 * matches the one with the lower id first, so that versions have one order and nobody waits in a circle.
 */
export const matchStore = {
  /** By its id, or by its code: then the newest that had it, which is the one that waits if one does. */
  find(scope: Scope, where: { id: string } | { code: string }): Promise<MatchRow | null> {
    return scope.db.match.findFirst({ where, orderBy: { createdAt: 'desc' }, include: withSeats, omit: withoutReplay })
  },

  /** Reads a match that nobody else can change until the transaction ends; null when there is none. */
  async lock(scope: Scope, id: string): Promise<MatchRow | null> {
    const locked = await scope.db.$queryRaw<unknown[]>`SELECT 1 FROM matches WHERE id = ${id} FOR UPDATE`
    return locked.length === 0 ? null : matchStore.find(scope, { id })
  },

  async insert(scope: Scope, match: NewMatch, seats: readonly NewSeat[], countdownMs: number): Promise<MatchRow> {
    const startsAt = isReady(match.game, seats) ? new Date(Date.now() + countdownMs) : null
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
   * Writes changes of a locked match, counts its version up, and, while it waits, starts or calls off the countdown,
   * whichever the seats now ask for.
   */
  async save(scope: Scope, row: MatchRow, countdownMs: number, data: Prisma.MatchUpdateInput = {}): Promise<MatchRow> {
    let { startsAt } = row
    if ((data.status ?? row.status) === 'waiting') {
      const seats = await scope.db.seat.findMany({ where: { matchId: row.id } })
      startsAt = isReady(row.game, seats) ? (startsAt ?? new Date(Date.now() + countdownMs)) : null
    }
    return scope.db.match.update({
      where: { id: row.id },
      data: { startsAt, ...data, version: { increment: 1 }, updatedAt: new Date() },
      include: withSeats,
      omit: withoutReplay,
    })
  },

  /** How many matches of the user are not over. Locks the user's row, so that no two transactions count at once. */
  async countActive(scope: Scope, userId: string): Promise<number> {
    await scope.db.$queryRaw`SELECT 1 FROM users WHERE id = ${userId} FOR NO KEY UPDATE`
    return scope.db.match.count({
      where: { status: { in: ['waiting', 'live'] }, seats: { some: { userId } } },
    })
  },

  list(scope: Scope, where: Prisma.MatchWhereInput, page: PageOf): Promise<MatchRow[]> {
    const { after, take, by } = page
    const older: Prisma.MatchWhereInput = after
      ? { OR: [{ [by]: { lt: after.at } }, { [by]: after.at, id: { lt: after.id } }] }
      : {}
    return scope.db.match.findMany({
      where: { AND: [where, older] },
      orderBy: [{ [by]: 'desc' }, { id: 'desc' }],
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
  const rules = isGameName(game) ? games[game] : undefined
  return seats.length === rules?.seats && seats.every(({ userId, connected }) => userId === null || connected)
}

/** A code that no waiting match has. The index has the last word, should two nodes draw the same one at once. */
async function freeCode(scope: Scope): Promise<string> {
  for (let tries = 0; tries < CODE_TRIES; tries++) {
    const code = newJoinCode()
    if ((await scope.db.match.count({ where: { code, status: 'waiting' } })) === 0) return code
  }
  throw new Error('no free join code')
}
