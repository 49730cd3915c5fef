import { RpcError } from '../../rpc/index.ts'
import { matchService, splitOptions } from '../matches/index.ts'
import type { Match } from '../matches/types.ts'
import type { Platform } from '../platform.ts'
import { inIdempotentTransaction, type Scope } from '../scope.ts'
import type { MatchId, UserId } from '../wire.ts'
import { lockRooms, type Place } from './room-writes.ts'

/** Who may be in the chat of a match: everybody, but only its players while spectators see it later. */
export class MatchChat {
  readonly #platform: Platform
  readonly #remove: (scope: Scope, places: readonly Place[]) => Promise<void>

  /** @param remove ends memberships of locked rooms */
  constructor(platform: Platform, remove: (scope: Scope, places: readonly Place[]) => Promise<void>) {
    this.#platform = platform
    this.#remove = remove
    platform.use(matchService).feed.onChange((match) => this.#keepToPlayers(match))
  }

  /**
   * The match whose chat the user may join. Null when there is no such match.
   * @throws RpcError FORBIDDEN while spectators see the match later than its players
   */
  async find(scope: Scope, userId: UserId, matchId: MatchId): Promise<Match | null> {
    const match = await this.#platform.use(matchService).findIn(scope, matchId, userId)
    if (!match || hasSeat(match, userId) || !isWatchedLater(match)) return match
    throw new RpcError('FORBIDDEN', 'Spectators see this match later, and can write once they have seen its end')
  }

  /** Who gave up the seat in a match that spectators see later leaves its chat: now, or with the job `sweep` if this fails. */
  #keepToPlayers(match: Match): void {
    if (match.status !== 'waiting' || !isWatchedLater(match)) return
    const { id, players } = match
    inIdempotentTransaction(this.#platform, async (scope) => {
      const room = await scope.db.room.findUnique({ where: { matchId: id }, select: { id: true } })
      if (!room) return
      await lockRooms(scope.sql, [room.id])
      const members = await scope.db.roomMember.findMany({ where: { roomId: room.id, leftAt: null } })
      const others = members.filter(({ userId }) => players.every((player) => player.userId !== userId))
      if (others.length > 0) await this.#remove(scope, others)
    }).catch((err: unknown) => {
      this.#platform.log.of('rooms').warn({ err, matchId: id }, 'the chat of a match could not be kept to its players')
    })
  }
}

export function hasSeat({ players }: Match, userId: string): boolean {
  return players.some((player) => player.userId === userId)
}

/** Whether spectators must not know yet what its players know. */
function isWatchedLater({ options, status }: Match): boolean {
  return splitOptions(options).spectatorDelayMs > 0 && (status === 'waiting' || status === 'live')
}
