import { type Channel, channel, type Opened, RpcError } from '../../../rpc/index.ts'
import type { Platform } from '../../platform.ts'
import { inIdempotentTransaction, type Scope } from '../../scope.ts'
import type { MatchId } from '../../wire.ts'
import type { MatchFeed } from '../match-feed.ts'
import type { Invite, Invites as InvitesOfUser, Match } from '../types.ts'
import { type Ask, type InviteState, inviteRows } from './invite-rows.ts'

/** For how long an invite of a player is open. */
const OPEN_FOR_MS = 120_000
/** Open invites by players that one user may have. */
const MAX_OPEN = 20
/** Those of them that one sender may have, so that two accounts cannot keep others from inviting. */
const MAX_OPEN_BY_SENDER = 3

const inviteChannel = (userId: string): Channel<InvitesOfUser> => channel('matches.onInvite', userId)

/** Who is asked to come to which match. The open invites of a user are the state of `matches.onInvite`. */
export class Invites {
  readonly #platform: Platform
  readonly #feed: MatchFeed
  /** Matches with invites that have changed. */
  #changed = new Set<string>()
  #closing: Promise<void> | undefined

  constructor(platform: Platform, feed: MatchFeed) {
    this.#platform = platform
    this.#feed = feed
    feed.onInvitedChange((match) => this.#noteChange(match))
  }

  /** Asks a user to come to a waiting match. Asking again for the same match replaces the invite before. */
  ask(scope: Scope, ask: Ask): Promise<void> {
    return this.askAll(scope, [ask])
  }

  async askAll(scope: Scope, asks: readonly Ask[]): Promise<void> {
    await this.#ask(scope, asks)
  }

  async #ask(scope: Scope, asks: readonly Ask[]): Promise<InviteState[]> {
    return this.#announce(scope, await inviteRows.ask(scope.sql, asks))
  }

  /**
   * A player of a waiting match asks another user to come.
   *
   * @throws RpcError NOT_FOUND for no such match or user, FORBIDDEN for who does not play there, MATCH_CLOSED, ALREADY_SEATED,
   *   MATCH_FULL, INVITE_DECLINED, TOO_MANY_INVITES
   */
  async invite(scope: Scope, by: { readonly id: string }, matchId: MatchId, username: string): Promise<Invite> {
    const found = await inviteRows.invitable(scope.sql, matchId, by.id, username, this.#feed.seatCounts)
    const userId = found?.userId ?? null
    if (!found || userId === null) throw new RpcError('NOT_FOUND', 'There is no such match or player')
    if (!found.isPlayer) throw new RpcError('FORBIDDEN', 'You do not play in this match')
    if (found.status !== 'waiting') throw closed()
    if (found.isSeated) throw new RpcError('ALREADY_SEATED', 'This player is in the match already')
    if (found.isFull) throw new RpcError('MATCH_FULL', 'Every seat is taken or kept for somebody else')
    if (found.hasDeclined) throw new RpcError('INVITE_DECLINED', 'This player has declined')
    if (found.openBySender >= MAX_OPEN_BY_SENDER) {
      throw new RpcError('TOO_MANY_INVITES', 'You have too many open invites to this player')
    }
    if (found.open >= MAX_OPEN) throw new RpcError('TOO_MANY_INVITES', 'This player has too many open invites')
    const expiresAt = new Date(Date.now() + OPEN_FOR_MS)
    const states = await this.#ask(scope, [{ matchId, userId, from: by.id, reason: 'invite', expiresAt }])
    const invite = states[0]?.invites.find((open) => open.matchId === matchId)
    // It was waiting a moment ago.
    if (!invite) throw closed()
    return invite
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
    await this.#closing
  }

  /** A match with invites has changed: some may be of no use any more. */
  #noteChange({ id }: Match): void {
    this.#changed.add(id)
    this.#closeSoon()
  }

  #closeSoon(): void {
    this.#closing ??= this.#closeChanged().finally(() => {
      this.#closing = undefined
      if (this.#changed.size > 0) this.#closeSoon()
    })
  }

  /** Never rejects: what fails is done by `expire`. */
  async #closeChanged(): Promise<void> {
    while (this.#changed.size > 0) {
      const ids = [...this.#changed]
      this.#changed = new Set()
      try {
        await inIdempotentTransaction(this.#platform, async (scope) => {
          await this.#announce(scope, await inviteRows.close(scope.sql, ids))
        })
      } catch (error) {
        this.#platform.log.of('matches').warn({ err: error, matches: ids.length }, 'invites to matches were not closed')
      }
    }
  }

  async #announce(scope: Scope, userIds: readonly string[]): Promise<InviteState[]> {
    const states = await inviteRows.countChanges(scope.sql, userIds)
    scope.afterCommit(() => {
      for (const { userId, seq, invites } of states) this.#platform.hub.publish(inviteChannel(userId), seq, { invites })
    })
    return states
  }
}

function closed(): RpcError {
  return new RpcError('MATCH_CLOSED', 'This match has begun or is over')
}
