import type { AnyGame } from '../games/game.ts'

/** How many ticks of a game lie between two keyframes: a second, or fewer ticks than one byte can count. */
export function keyframeTicks(tickRate: number): number {
  return Math.min(tickRate, MAX_KEYFRAME_TICKS)
}

/** The frames between two keyframes name their tick by its last byte. */
const MAX_KEYFRAME_TICKS = 60

/** A match at one tick: everything needed to continue from there. Only read it, and only until the next step. */
export interface RunnerFrame {
  readonly tick: number
  readonly state: unknown
  /** What each seat holds. */
  readonly inputs: readonly unknown[]
}

type OwnFrame = { tick: number; state: unknown; readonly inputs: unknown[] }

/** The two frames that a match can go back to. Their memory is reused, as garbage collection costs pauses. */
export class RewindFrames {
  older: OwnFrame
  newer: OwnFrame
  readonly #game: AnyGame
  #spare: OwnFrame

  constructor(game: AnyGame, state: unknown, inputs: readonly unknown[]) {
    this.#game = game
    const copy = () => ({ tick: 0, state: game.clone(state), inputs: [...inputs] })
    this.older = copy()
    this.newer = copy()
    this.#spare = copy()
  }

  /** Keeps a copy of the match as it is now, and gives up the older frame. */
  keep(tick: number, state: unknown, inputs: readonly unknown[]): void {
    const spare = this.older
    this.older = this.newer
    this.newer = this.#spare
    this.#spare = spare
    this.replaceNewer(tick, state, inputs)
  }

  /** Writes the newer frame again, because something before it has changed. */
  replaceNewer(tick: number, state: unknown, inputs: readonly unknown[]): void {
    const frame = this.newer
    frame.tick = tick
    frame.state = copyState(this.#game, frame.state, state)
    for (let seat = 0; seat < inputs.length; seat++) frame.inputs[seat] = inputs[seat]
  }
}

/** A copy of `from`. It is written into `used`, which nobody needs any more, if both are flat objects; else it is a clone. */
export function copyState(game: AnyGame, used: unknown, from: unknown): unknown {
  return isPlain(used) && isPlain(from) && overwrite(used, from) ? used : game.clone(from)
}

function isPlain(state: unknown): state is Record<string, unknown> {
  return typeof state === 'object' && state !== null && Object.getPrototypeOf(state) === Object.prototype
}

/** Answers whether `target` now equals `source`. Objects within objects are left alone: several states may share them. */
function overwrite(target: Record<string, unknown>, source: Readonly<Record<string, unknown>>): boolean {
  let keys = 0
  for (const key in source) {
    const value = source[key]
    if ((typeof value === 'object' && value !== null) || !Object.hasOwn(target, key)) return false
    target[key] = value
    keys++
  }
  for (const _ in target) keys--
  return keys === 0
}
