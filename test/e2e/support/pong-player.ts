import { HEIGHT, PADDLE_INSET, PADDLE_WIDTH, WIDTH } from '../../../src/games/pong/court.ts'
import type { Visitor } from './visitor.ts'

/** What can be seen on the court, in its own units. */
export interface Sight {
  readonly ball: { readonly x: number; readonly y: number } | null
  /** The centres of the paddles, left and right. */
  readonly paddles: readonly [number | null, number | null]
}

type Seat = 0 | 1
type Move = -1 | 0 | 1

/** How far from the ball the paddle may be before it follows. */
const NEAR = 16
const KEYS = { arrows: { up: 'ArrowUp', down: 'ArrowDown' }, letters: { up: 'KeyW', down: 'KeyS' } } as const

/** Plays Pong like a person: looks at the court, and holds keys down. */
export class PongPlayer {
  readonly #visitor: Visitor
  readonly #seat: Seat
  readonly #keys: { readonly up: string; readonly down: string }
  #move: Move = 0

  constructor(visitor: Visitor, seat: Seat, keys: keyof typeof KEYS = 'arrows') {
    this.#visitor = visitor
    this.#seat = seat
    this.#keys = KEYS[keys]
  }

  /** Holds a key down, or none. */
  async move(move: Move): Promise<void> {
    if (move === this.#move) return
    const { keyboard } = this.#visitor.page
    if (this.#move !== 0) await keyboard.up(this.#keyOf(this.#move))
    this.#move = move
    if (move !== 0) await keyboard.down(this.#keyOf(move))
  }

  /** Follows the ball, picture by picture, until `isDone`, which is asked with every picture. */
  async followBall(isDone: (sight: Sight) => boolean | Promise<boolean>): Promise<void> {
    for (;;) {
      const sight = await lookAtCourt(this.#visitor)
      const paddle = sight.paddles[this.#seat]
      if (sight.ball && paddle !== null) {
        const way = sight.ball.y - paddle
        await this.move(Math.abs(way) < NEAR ? 0 : way < 0 ? -1 : 1)
      }
      if (await isDone(sight)) break
    }
    await this.move(0)
  }

  /** Gets out of the ball's way, into the upper corner, and stays there. */
  async hide(): Promise<void> {
    await this.move(-1)
  }

  #keyOf(move: Move): string {
    return move < 0 ? this.#keys.up : this.#keys.down
  }
}

/** Presses on the court and drags to a height, 0 (top) to 1, without letting go. */
export async function pullPaddle({ page }: Visitor, height: number): Promise<void> {
  const box = await page.getByTestId('pong-canvas').boundingBox()
  if (!box) throw new Error('there is no court')
  const x = box.x + box.width / 2
  await page.mouse.move(x, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(x, box.y + box.height * height, { steps: 5 })
}

/** The next picture of the court, read from its pixels. */
export async function lookAtCourt({ page }: Visitor): Promise<Sight> {
  return page.getByTestId('pong-canvas').evaluate(
    async (canvas, { width, height, columns }) => {
      await new Promise(requestAnimationFrame)
      const none = { ball: null, paddles: [null, null] as [null, null] }
      if (!(canvas instanceof HTMLCanvasElement) || canvas.width < 2) return none
      const context = canvas.getContext('2d')
      if (!context) return none
      const style = getComputedStyle(canvas)
      const colorOf = (name: string) => Number.parseInt(style.getPropertyValue(name).trim().slice(1), 16)
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
      const unit = canvas.width / width

      const centre = (color: number, fromX: number, toX: number, step: number) => {
        let count = 0
        let sumX = 0
        let sumY = 0
        for (let y = 0; y < canvas.height; y += step) {
          for (let x = Math.max(0, Math.floor(fromX * unit)); x < toX * unit && x < canvas.width; x += step) {
            const at = (y * canvas.width + x) * 4
            const pixel = ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0)
            if (pixel !== color) continue
            count++
            sumX += x
            sumY += y
          }
        }
        return count === 0 ? null : { x: sumX / count / unit, y: (sumY / count / canvas.height) * height }
      }
      const [left, right] = columns.map(([from, to], seat) => centre(colorOf(`--court-seat-${seat}`), from, to, 2))
      return {
        ball: centre(colorOf('--court-ink'), 0, width, 2),
        paddles: [left?.y ?? null, right?.y ?? null] as const,
      }
    },
    {
      width: WIDTH,
      height: HEIGHT,
      columns: [
        [PADDLE_INSET, PADDLE_INSET + PADDLE_WIDTH],
        [WIDTH - PADDLE_INSET - PADDLE_WIDTH, WIDTH - PADDLE_INSET],
      ] as const,
    },
  )
}
