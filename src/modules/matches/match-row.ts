import type { Prisma } from '../../db/generated/client.ts'
import { MatchId, UserId } from '../wire.ts'
import { Match, type Player } from './types.ts'

/** What is read with every match. */
export const withSeats = {
  seats: { orderBy: { seat: 'asc' }, include: { user: { select: { username: true } } } },
} as const satisfies Prisma.MatchInclude

/** The columns that only a replay needs are left out of what is listed. */
export const withoutReplay = { inputs: true, finalState: true } as const satisfies Prisma.MatchOmit

export type MatchRow = Omit<Prisma.MatchGetPayload<{ include: typeof withSeats }>, 'inputs' | 'finalState'>

/** The match as it is on the wire. */
export function toMatch(row: MatchRow, publicUrl: string): Match {
  return {
    id: MatchId.parse(row.id),
    game: row.game,
    mode: row.mode,
    status: row.status,
    visibility: row.visibility,
    code: row.code,
    joinUrl: `${publicUrl}/join/${row.code}`,
    players: row.seats.map(toPlayer),
    winnerSeat: row.winnerSeat,
    options: Match.shape.options.parse(row.options),
    version: row.version,
    createdAt: row.createdAt.getTime(),
    startsAt: row.startsAt?.getTime() ?? null,
    startedAt: row.startedAt?.getTime() ?? null,
    finishedAt: row.finishedAt?.getTime() ?? null,
    endReason: row.endReason,
  }
}

function toPlayer({ seat, userId, user, displayName, score, connected }: MatchRow['seats'][number]): Player {
  return {
    seat,
    userId: userId === null ? null : UserId.parse(userId),
    username: user?.username ?? null,
    displayName,
    score,
    connected,
  }
}
