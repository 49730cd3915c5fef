import { generateSync } from 'otplib'

const STEP_S = 30

/** Somebody's authenticator app. It shows no code twice, because a code counts once. */
export class Authenticator {
  readonly #secret: string
  #lastStep = 0

  /** `secret` in base32, as the page shows it. */
  constructor(secret: string) {
    this.#secret = secret
  }

  /** The code that was taken last. */
  get lastCode(): string {
    return this.#codeOf(this.#lastStep)
  }

  /**
   * A fresh code: that of now or, when it was taken, of the next step, which the server takes as well.
   *
   * @throws Error for the third code within a step, which would come too early.
   */
  code(): string {
    const current = Math.floor(Date.now() / 1000 / STEP_S)
    const step = Math.max(current, this.#lastStep + 1)
    if (step > current + 1) throw new Error('no more than two codes in one step of 30 s')
    this.#lastStep = step
    return this.#codeOf(step)
  }

  #codeOf(step: number): string {
    return generateSync({ secret: this.#secret, epoch: step * STEP_S })
  }
}
