import type { Config } from '../../../config.ts'
import { type MatchRunner, packInputs } from '../../../engine/index.ts'
import { type Outcome, winnerOf } from '../../../games/game.ts'
import type { EndReason, Match } from '../types.ts'
import type { Progress } from './owned-matches.ts'
import type { MatchResult } from './result-files.ts'

/** How a live match ends. The `endReason` of a result is null where the rules ended it. */
export type Ending =
  | { readonly status: 'finished'; readonly outcome: Outcome; readonly endReason: EndReason | null }
  | { readonly status: 'aborted'; readonly endReason: EndReason }

type Waits = Pick<Config['matches'], 'comeBackMs' | 'maxTurnMs'>

const WRITE_PROGRESS_MS = 5_000

/** A live match that this node runs, and how its players end it other than by playing. Times are monotonic, ms. */
export class RunningMatch {
  readonly runner: MatchRunner
  /** The fence of this node's claim: each statement that writes for the match names it. */
  readonly fence: number
  /** The match as it was last written. */
  match: Match
  /** How it ended, while that is not stored yet. */
  ending: Ending | undefined
  /** How many watch it. */
  spectators: number
  /** When its progress was written last. */
  writtenAt = Number.NEGATIVE_INFINITY
  readonly #waits: Waits
  readonly #left = new Set<number>()
  /** When players who are away can no longer come back: `returnBy`, which `Presence` writes, on the monotonic clock. */
  #returnDeadline: number | null = null
  #lastTick = 0
  #lastTurnAt: number
  #pausedAt: number | null = null

  constructor(runner: MatchRunner, match: Match, fence: number, waits: Waits, now: number) {
    this.runner = runner
    this.fence = fence
    this.#waits = waits
    this.match = match
    this.spectators = match.spectators
    this.#lastTurnAt = now
    this.#noteAway(undefined, now)
  }

  get id(): string {
    return this.match.id
  }

  note(match: Match, now: number): void {
    const before = this.match
    if (match.version <= before.version) return
    this.match = match
    this.#noteAway(before, now)
  }

  /** It takes no input and makes no step until it is resumed. That time is not counted as thinking time. */
  pause(now: number): void {
    this.runner.paused = true
    this.#pausedAt ??= now
  }

  resume(now: number): void {
    this.runner.paused = false
    this.#lastTurnAt += now - (this.#pausedAt ?? now)
    this.#pausedAt = null
  }

  leave(userId: string): void {
    for (const player of this.match.players) if (player.userId === userId) this.leaveSeat(player.seat)
  }

  leaveSeat(seat: number): void {
    if (this.#left.has(seat)) return
    this.#left.add(seat)
    this.runner.release(seat)
  }

  /** Scores and spectators, if one has changed since they were written, and that was a while ago; else null. */
  progressToWrite(now: number): Progress | null {
    if (now - this.writtenAt < WRITE_PROGRESS_MS) return null
    const { id, fence, match, spectators } = this
    const scores = this.runner.game.scores(this.runner.state)
    const isSame = match.players.every(({ seat, score }) => score === scores[seat]) && match.spectators === spectators
    return isSame ? null : { id, fence, scores: [...scores], spectators }
  }

  /** How the match ends because of its players; null while it goes on. */
  endByPlayers(now: number): Ending | null {
    return this.#endByAbsence(now) ?? this.#endBySlowness(now)
  }

  /** What has to be stored. Call it when the runner is halted, so that nothing changes any more. */
  result({ outcome, endReason }: Extract<Ending, { status: 'finished' }>, node: string): MatchResult {
    const { matchId, tick, state, log } = this.runner
    return {
      matchId,
      node,
      fence: this.fence,
      winnerSeat: winnerOf(outcome.placements),
      placements: [...outcome.placements],
      scores: [...outcome.scores],
      endReason,
      finishedAt: Date.now(),
      ticks: tick,
      finalState: state,
      inputs: packInputs(log),
    }
  }

  /** A player who left or stayed away loses. While all are away, the first who comes back wins. */
  #endByAbsence(now: number): Ending | null {
    const { players } = this.match
    const canReturn = this.#returnDeadline !== null && now < this.#returnDeadline
    const remaining = players.filter(({ seat, connected }) => !this.#left.has(seat) && (connected || canReturn))
    return remaining.length === players.length ? null : this.#endWith(remaining, 'forfeit', 'left')
  }

  /** The player whose turn it is loses. If the game names no player, nobody loses. */
  #endBySlowness(now: number): Ending | null {
    const { game, tick, state } = this.runner
    if (game.tickRate > 0) return null
    if (tick !== this.#lastTick) {
      this.#lastTick = tick
      this.#lastTurnAt = now
    }
    if (now - this.#lastTurnAt <= this.#waits.maxTurnMs) return null
    const toMove = game.toMove?.(state) ?? null
    const { players } = this.match
    const slow = players.find(({ seat }) => seat === toMove)
    const others = players.filter(({ seat, userId }) => seat !== toMove && userId !== slow?.userId)
    return (slow && this.#endWith(others, 'too-slow', 'too-long')) ?? { status: 'aborted', endReason: 'too-long' }
  }

  /** If one player remains, that player wins. If none remains, there is no result. Two or more play on. */
  #endWith(remaining: Match['players'], wonBy: EndReason, lostBy: EndReason): Ending | null {
    const [winner, ...others] = remaining
    if (others.length > 0) return null
    if (!winner) return { status: 'aborted', endReason: lostBy }
    const scores = [...this.runner.game.scores(this.runner.state)]
    const placements = scores.map((_, seat) => (seat === winner.seat ? 1 : 2))
    return { status: 'finished', outcome: { placements, scores }, endReason: wonBy }
  }

  #noteAway(before: Match | undefined, now: number): void {
    const { players, returnBy = Number.POSITIVE_INFINITY } = this.match
    const away = players.filter(({ connected }) => !connected)
    for (const { seat } of away) {
      if (before?.players.find((player) => player.seat === seat)?.connected !== false) this.runner.release(seat)
    }
    if (away.length === 0) this.#returnDeadline = null
    else if (this.#returnDeadline === null || returnBy !== before?.returnBy) {
      // Clocks of nodes differ, so nobody waits longer than the whole time.
      this.#returnDeadline = now + Math.min(returnBy - Date.now(), this.#waits.comeBackMs)
    }
  }
}
