import { type MatchRunner, packInputs } from '../../../engine/index.ts'
import type { Outcome } from '../../../games/game.ts'
import type { Match } from '../types.ts'
import type { MatchResult } from './result-files.ts'

/** A live match ends with a result. */
export interface Finish {
  readonly status: 'finished'
  readonly outcome: Outcome
  /** Null where the rules ended it. */
  readonly endReason: string | null
}

/** How a live match ends. */
export type Ending = Finish | { readonly status: 'aborted'; readonly endReason: string }

/** For how long players are waited for, ms. */
export interface Patience {
  /** A player who dropped has this long to come back. */
  readonly comeBackMs: number
  /** The seat to move in a turn-based match has this long. */
  readonly maxTurnMs: number
}

const WRITE_SCORES_MS = 5_000

/**
 * A live match that this process runs, and the rules by which its players end it other than by playing: they leave,
 * stay away, or do not move. Times are of a monotonic clock, ms.
 */
export class RunningMatch {
  readonly runner: MatchRunner
  /** What the match was taken with: whoever writes for it names it. */
  readonly fence: number
  /** How it ended, once it has: that is not stored yet. */
  ending: Ending | undefined
  /** When its scores were written last. */
  scoredAt = Number.NEGATIVE_INFINITY
  #match: Match
  readonly #left = new Set<number>()
  readonly #absentSince = new Map<number, number>()
  #lastTick = 0
  #lastTurnAt: number

  constructor(runner: MatchRunner, match: Match, fence: number, now: number) {
    this.runner = runner
    this.fence = fence
    this.#match = match
    this.#lastTurnAt = now
    this.#noteSeats(match, now)
  }

  get id(): string {
    return this.#match.id
  }

  /** As it was last written. */
  get match(): Match {
    return this.#match
  }

  /** Takes what was written of the match since. */
  note(match: Match, now: number): void {
    if (match.version <= this.#match.version) return
    this.#match = match
    this.#noteSeats(match, now)
  }

  /** The user gives up every seat of theirs. */
  leave(userId: string): void {
    for (const { seat } of this.#seatsOf(userId)) {
      if (this.#left.has(seat)) continue
      this.#left.add(seat)
      this.runner.release(seat)
    }
  }

  /** The scores as they are now, when they are not as they were written, and that is a while ago; else null. */
  scoresToWrite(now: number): readonly number[] | null {
    if (now - this.scoredAt < WRITE_SCORES_MS) return null
    const scores = this.runner.game.scores(this.runner.state)
    return this.#match.players.some(({ seat, score }) => score !== scores[seat]) ? [...scores] : null
  }

  /** The end that its players bring about; null while it goes on. */
  endByPlayers(now: number, { comeBackMs, maxTurnMs }: Patience): Ending | null {
    return this.#endByAbsence(now, comeBackMs) ?? this.#endBySlowness(now, maxTurnMs)
  }

  /** What is to be stored, once the runner is halted: nothing of it changes any more. */
  result({ outcome, endReason }: Finish, node: string): MatchResult {
    const { matchId, tick, state, log } = this.runner
    return {
      matchId,
      node,
      fence: this.fence,
      winnerSeat: outcome.winnerSeat,
      scores: [...outcome.scores],
      endReason,
      finishedAt: Date.now(),
      ticks: tick,
      finalState: state,
      inputs: packInputs(log),
    }
  }

  /** Whoever left or has been away for too long loses. While the others are away too, the first who comes back wins. */
  #endByAbsence(now: number, comeBackMs: number): Ending | null {
    const { players } = this.#match
    const isOverdue = (seat: number) => now - (this.#absentSince.get(seat) ?? now) >= comeBackMs
    const remaining = players.filter(({ seat }) => !this.#left.has(seat) && !isOverdue(seat))
    if (remaining.length === players.length) return null
    const mayComeBack = remaining.length > 0 && remaining.every(({ seat }) => this.#absentSince.has(seat))
    if (mayComeBack && this.#left.size === 0) return null
    return this.#endWith(remaining, 'forfeit', 'left')
  }

  /** Where nobody in particular is to move, nobody loses. */
  #endBySlowness(now: number, maxTurnMs: number): Ending | null {
    const { game, tick, state } = this.runner
    if (game.tickRate > 0) return null
    if (tick !== this.#lastTick) {
      this.#lastTick = tick
      this.#lastTurnAt = now
    }
    if (now - this.#lastTurnAt <= maxTurnMs) return null
    const toMove = game.toMove?.(state) ?? null
    const { players } = this.#match
    const slow = players.find(({ seat }) => seat === toMove)
    const others = players.filter(({ seat, userId }) => seat !== toMove && userId !== slow?.userId)
    return (slow && this.#endWith(others, 'too-slow', 'too-long')) ?? { status: 'aborted', endReason: 'too-long' }
  }

  /** One player who remains wins, with nobody there is no result, and two or more play on. */
  #endWith(remaining: Match['players'], wonBy: string, lostBy: string): Ending | null {
    const [winner, ...others] = remaining
    if (others.length > 0) return null
    if (!winner) return { status: 'aborted', endReason: lostBy }
    const scores = [...this.runner.game.scores(this.runner.state)]
    return { status: 'finished', outcome: { winnerSeat: winner.seat, scores }, endReason: wonBy }
  }

  #noteSeats({ players }: Match, now: number): void {
    for (const { seat, connected } of players) {
      if (connected) this.#absentSince.delete(seat)
      else if (!this.#absentSince.has(seat)) {
        this.#absentSince.set(seat, now)
        this.runner.release(seat)
      }
    }
  }

  #seatsOf(userId: string): Match['players'] {
    return this.#match.players.filter((player) => player.userId === userId)
  }
}
