import { type Channel, channel, type Opened, RpcError } from '../../../rpc/index.ts'
import type { Platform } from '../../platform.ts'
import { inIdempotentTransaction, type Scope } from '../../scope.ts'
import type { MatchId } from '../../wire.ts'
import type { MatchFeed } from '../match-feed.ts'
import type { Invites as InvitesOfUser, Match } from '../types.ts'
import { type Ask, inviteRows } from './invite-rows.ts'

const inviteChannel = (userId: string): Channel<InvitesOfUser> => channel('matches.onInvite', userId)

/** Who is asked to come to which match. The open invites of a user are the state of `matches.onInvite`. */
export class Invites {
  readonly #platform: Platform
  /** Changes of matches that are being looked at. */
  readonly #closing = new Set<Promise<void>>()

  constructor(platform: Platform, feed: MatchFeed) {
    this.#platform = platform
    feed.onInvitedChange((match) => this.#noteChange(match))
  }

  /** Asks a user to come to a waiting match. Asking again for the same match replaces the invite before. */
  ask(scope: Scope, ask: Ask): Promise<void> {
    return this.askAll(scope, [ask])
  }

  async askAll(scope: Scope, asks: readonly Ask[]): Promise<void> {
    await this.#announce(scope, await inviteRows.ask(scope.sql, asks))
  }

  /** The match of an open invite. @throws RpcError NOT_FOUND */
  async matchOf(scope: Scope, userId: string, inviteId: string): Promise<MatchId> {
    const found = await inviteRows.find(scope.sql, inviteId, userId)
    if (!found) throw new RpcError('NOT_FOUND', 'This invite is not open any more')
    return found.matchId
  }

  /** Takes an invite away from its user, who has come to the match. */
  async remove(scope: Scope, userId: string, inviteId: string): Promise<void> {
    await this.#announce(scope, await inviteRows.remove(scope.sql, inviteId, userId))
  }

  /** @throws RpcError NOT_FOUND */
  async decline(scope: Scope, userId: string, inviteId: string): Promise<void> {
    const users = await inviteRows.decline(scope.sql, inviteId, userId)
    if (users.length === 0) throw new RpcError('NOT_FOUND', 'This invite is not open any more')
    await this.#announce(scope, users)
  }

  /** The open invites of a user, and the channel of their changes. */
  async follow(userId: string): Promise<Opened<InvitesOfUser, InvitesOfUser>> {
    const [state] = await inviteRows.read(this.#platform.database.sql, [userId])
    return { channel: inviteChannel(userId), seq: state?.seq ?? 0, snapshot: { invites: state?.invites ?? [] } }
  }

  /** Deletes invites that have expired, and those of matches that do not wait any more. */
  async expire(scope: Scope): Promise<void> {
    await this.#announce(scope, await inviteRows.expire(scope.sql))
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    await Promise.all(this.#closing)
  }

  /** A match with invites has changed: some may be of no use any more. What fails is done by `expire`. */
  #noteChange({ id }: Match): void {
    const closing = inIdempotentTransaction(this.#platform, async (scope) => {
      await this.#announce(scope, await inviteRows.close(scope.sql, id))
    })
      .catch((error: unknown) => {
        this.#platform.log.of('matches').warn({ err: error, matchId: id }, 'invites to a match were not closed')
      })
      .finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }

  async #announce(scope: Scope, userIds: readonly string[]): Promise<void> {
    const states = await inviteRows.countChanges(scope.sql, userIds)
    scope.afterCommit(() => {
      for (const { userId, seq, invites } of states) this.#platform.hub.publish(inviteChannel(userId), seq, { invites })
    })
  }
}
