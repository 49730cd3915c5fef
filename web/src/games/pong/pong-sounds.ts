import type { PongState } from '../../../../src/games/pong/state.ts'
import type { Sound } from '../../sound/sound.ts'

type Ball = Pick<PongState, 'velocityX' | 'velocityY' | 'pause'>

/** Plays what is heard on the court: the ball at paddles and walls, and points. */
export class PongSounds {
  readonly #sound: Sound
  #ball: Ball | null = null
  #scores: readonly number[] | null = null

  constructor(sound: Sound) {
    this.#sound = sound
  }

  /** Call this with each state that is drawn. */
  see({ velocityX, velocityY, pause }: PongState): void {
    const before = this.#ball
    this.#ball = { velocityX, velocityY, pause }
    // A ball that was served anew has not bounced.
    if (!before || before.pause > 0 || pause > 0) return
    if (Math.sign(before.velocityX) !== Math.sign(velocityX)) this.#sound.play('hit')
    else if (Math.sign(before.velocityY) !== Math.sign(velocityY)) this.#sound.play('wall')
  }

  /** Call this with the scores when they have changed. `mine` are the seats of the listener. */
  score(scores: readonly number[], mine: readonly number[]): void {
    const before = this.#scores
    this.#scores = scores
    if (!before) return
    const seat = scores.findIndex((score, at) => score > (before[at] ?? 0))
    if (seat >= 0) this.#sound.play(mine.length === 1 && !mine.includes(seat) ? 'pointLost' : 'pointWon')
  }
}
