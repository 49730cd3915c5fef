import { type Channel, channel, type Opened } from '../../rpc/index.ts'
import type { Platform } from '../platform.ts'
import type { Scope } from '../scope.ts'
import { LobbyFeed } from './lobby.ts'
import { MatchHooks } from './match-hooks.ts'
import { type MatchRow, toMatch } from './match-row.ts'
import { MatchTimers } from './match-timers.ts'
import { noteSeatChanges, seatCountsOf } from './match-writes.ts'
import { seenBySpectators, shownAt, spectatorDelayOf } from './spectator-delay.ts'
import { Match } from './types.ts'

/** A message to the node that runs a live match: another node has changed the match. */
const CHANGED = 'matches.changed'

const matchChannel = (matchId: string): Channel<Match> => channel('matches.onUpdate', matchId)
/** The channel for spectators who see the match with a delay. */
const delayedChannel = (matchId: string): Channel<Match> => channel('matches.onUpdate', `${matchId}/delayed`)

/** Tells the followers of matches and of the lobby what changes, and shows each user what they may see. */
export class MatchFeed {
  readonly lobby: LobbyFeed
  readonly hooks = new MatchHooks()
  /** As `seatCountsOf` gives them. */
  readonly seatCounts: string
  readonly #platform: Platform
  /** Matches whose end spectators see later. */
  readonly #hiddenEnds: MatchTimers
  readonly #listeners: ((match: Match) => void)[] = []
  readonly #inviteListeners: ((match: Match) => void)[] = []

  constructor(platform: Platform) {
    this.#platform = platform
    this.seatCounts = seatCountsOf(platform.games)
    this.lobby = new LobbyFeed(platform)
    this.#hiddenEnds = new MatchTimers((matchId) => this.#showEnd(matchId))
    platform.nodes.listen(CHANGED, (data) => this.#tellListeners(Match.parse(data)))
  }

  /** Listens to committed changes: all by this node, and those by other nodes in live matches that this node runs. */
  onChange(listener: (match: Match) => void): void {
    this.#listeners.push(listener)
  }

  /** Listens to changes, committed by this node, of matches to which somebody was asked to come. */
  onInvitedChange(listener: (match: Match) => void): void {
    this.#inviteListeners.push(listener)
  }

  /** The match as this user sees it, or nobody in particular. */
  show(row: MatchRow, userId: string | null, now = Date.now()): Match {
    return this.#toMatch(hasSeat(row, userId) ? row : seenBySpectators(row, now))
  }

  /** As `show`, with the channel of the changes. */
  open(row: MatchRow, userId: string | null): Opened<Match, Match> {
    // One time for both calls: an end that is hidden now gets a timer.
    const now = Date.now()
    const snapshot = this.show(row, userId, now)
    const isDelayed = !hasSeat(row, userId) && spectatorDelayOf(row) > 0
    if (isDelayed) this.#showEndLater(row, now)
    return { channel: isDelayed ? delayedChannel(row.id) : matchChannel(row.id), seq: snapshot.version, snapshot }
  }

  /** Publishes a match as it was just written, once that is committed. */
  announce(scope: Scope, row: MatchRow): Match {
    const match = this.#toMatch(row)
    scope.afterCommit(() => {
      this.publish(match)
      const { nodeId } = row
      if (row.hasInvites) for (const listener of this.#inviteListeners) listener(match)
      const runsElsewhere = nodeId !== null && nodeId !== this.#platform.node
      if (runsElsewhere && match.status !== 'finished') this.#platform.nodes.tell(nodeId, CHANGED, match)
      // Spectators with a delay are told that the match goes live, and nothing more until its end may be seen.
      const now = Date.now()
      const isSeenByAll = shownAt(row) <= now || row.version === row.startVersion
      if (isSeenByAll) this.#platform.hub.publish(delayedChannel(match.id), match.version, match)
      this.#showEndLater(row, now)
    })
    return match
  }

  /** Announces a match in which a user took or gave up a seat. If it is delayed, followers of their channel reopen. */
  announceMove(scope: Scope, row: MatchRow, move: 'joined' | 'left'): Match {
    const match = this.announce(scope, row)
    const before = move === 'joined' ? delayedChannel(row.id) : matchChannel(row.id)
    if (spectatorDelayOf(row) > 0) scope.afterCommit(() => this.#platform.hub.end(before, 'behind'))
    return match
  }

  /** Announces matches whose seats this transaction has changed, and starts or cancels their countdowns. */
  async announceSeats(scope: Scope, ids: readonly string[]): Promise<void> {
    const { countdownMs } = this.#platform.config.matches
    const rows = await noteSeatChanges(scope.sql, ids, { countdownMs, seatCounts: this.seatCounts })
    for (const row of rows) this.announce(scope, row)
  }

  publish(match: Match): void {
    this.#platform.hub.publish(matchChannel(match.id), match.version, match)
    if (match.visibility === 'public') this.lobby.touch(match.status === 'live' ? 'later' : 'soon')
    this.#tellListeners(match)
  }

  /** Ends the streams of hidden ends: their followers subscribe again, and another node shows them the end. */
  async stop(): Promise<void> {
    for (const matchId of this.#hiddenEnds.matchIds) this.#showEnd(matchId)
    this.#hiddenEnds.stop()
    await this.lobby.stop()
  }

  #tellListeners(match: Match): void {
    for (const listener of this.#listeners) listener(match)
  }

  #showEndLater(row: MatchRow, now: number): void {
    const at = shownAt(row)
    if (at > now && row.finishedAt !== null) this.#hiddenEnds.set(row.id, at, spectatorDelayOf(row))
  }

  #showEnd(matchId: string): void {
    this.#platform.hub.end(delayedChannel(matchId), 'behind')
    this.lobby.touch('soon')
  }

  #toMatch(row: MatchRow): Match {
    return toMatch(row, this.#platform.config.publicUrl)
  }
}

export function hasSeat({ seats }: Pick<MatchRow, 'seats'>, userId: string | null): boolean {
  return userId !== null && seats.some((seat) => seat.userId === userId)
}
