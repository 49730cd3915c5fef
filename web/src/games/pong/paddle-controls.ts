import { BALL_RADIUS } from '../../../../src/games/pong/geometry.ts'
import type { PongInput } from '../../../../src/games/pong/rules.ts'

export type Move = PongInput['move']

/** How near to the finger the paddle stops, and how far the finger goes before it follows again. */
const ARRIVED = BALL_RADIUS
const WANDERED = BALL_RADIUS * 2.5

/** Turns what is pressed, touched and dragged into the move of each seat. The last key pressed counts. */
export class PaddleControls {
  /** Pressed keys and buttons, oldest first. */
  #held: { readonly id: string; readonly seat: number; readonly move: Move }[] = []
  /** Where a seat's paddle is pulled to, in the court's units, and whether it is on its way. */
  readonly #targets = new Map<number, { y: number; moving: boolean }>()

  press(id: string, seat: number, move: Move): void {
    this.release(id)
    this.#held.push({ id, seat, move })
  }

  release(id: string): void {
    this.#held = this.#held.filter((held) => held.id !== id)
  }

  pull(seat: number, y: number): void {
    this.#targets.set(seat, { y, moving: this.#targets.get(seat)?.moving ?? true })
  }

  letGo(seat: number): void {
    this.#targets.delete(seat)
  }

  releaseAll(): void {
    this.#held = []
    this.#targets.clear()
  }

  /** What `seat` does now, its paddle's centre being at `paddle`. */
  move(seat: number, paddle: number): Move {
    const held = this.#held.findLast((press) => press.seat === seat)
    if (held) return held.move
    const target = this.#targets.get(seat)
    if (!target) return 0
    const way = target.y - paddle
    target.moving = Math.abs(way) > (target.moving ? ARRIVED : WANDERED)
    if (!target.moving) return 0
    return way < 0 ? -1 : 1
  }
}

/** The keys of a page that has these seats: one person may use either pair, two share the keyboard. */
export function keyOf(code: string, seats: readonly number[]): { seat: number; move: Move } | null {
  const [first, second = first] = seats
  if (first === undefined || second === undefined) return null
  switch (code) {
    case 'KeyW':
      return { seat: first, move: -1 }
    case 'KeyS':
      return { seat: first, move: 1 }
    case 'ArrowUp':
      return { seat: second, move: -1 }
    case 'ArrowDown':
      return { seat: second, move: 1 }
    default:
      return null
  }
}
