import type { InputChange } from '../games/simulate.ts'

export interface PlannedInput extends InputChange {
  /** How many ticks later it takes effect than its sender asked for. */
  readonly moved: number
}

/** Inputs that are not due yet, in the order of ticks; at most one a seat and tick. */
export class PlannedInputs {
  #changes: PlannedInput[] = []

  /** Adds a change, and drops those of the same seat for the same tick and later ones. */
  add(change: PlannedInput): void {
    this.drop(change.seat, change.tick)
    this.#changes.splice(this.#changes.findLastIndex(({ tick }) => tick <= change.tick) + 1, 0, change)
  }

  /** Drops what a seat has planned for `fromTick` and later. */
  drop(seat: number, fromTick: number): void {
    this.#changes = this.#changes.filter((change) => change.seat !== seat || change.tick < fromTick)
  }

  /** Removes the next change that is due by `tick`, and answers it. */
  takeDue(tick: number): PlannedInput | undefined {
    const next = this.#changes[0]
    return next && next.tick <= tick ? this.#changes.shift() : undefined
  }
}
