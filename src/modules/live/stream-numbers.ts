import { MAX_STREAM } from '../../protocol/live-frames.ts'

/** A number is not given again for this long, so that no frame still under way is taken for another match's. */
const REST_MS = 5_000

/** The small numbers that name matches in binary frames: always the smallest that is free, as small ones are short. */
export class StreamNumbers<Match> {
  readonly #matches: (Match | undefined)[] = []
  /** Since when a number is free. */
  readonly #freeSince: number[] = []
  /** No smaller number is free. */
  #from = 0

  /** `now` is a monotonic time in ms. @throws RangeError when all are taken, which is after a thousand million. */
  add(match: Match, now: number): number {
    let stream = this.#from
    let isFirst = true
    while (stream < this.#matches.length) {
      if (this.#matches[stream] === undefined) {
        if (now - (this.#freeSince[stream] ?? Number.NEGATIVE_INFINITY) >= REST_MS) break
        if (isFirst) this.#from = stream
        isFirst = false
      }
      stream++
    }
    if (stream > MAX_STREAM) throw new RangeError('no stream number is free')
    this.#matches[stream] = match
    if (isFirst) this.#from = stream + 1
    return stream
  }

  get(stream: number): Match | undefined {
    return this.#matches[stream]
  }

  delete(stream: number, now: number): void {
    if (this.#matches[stream] === undefined) return
    this.#matches[stream] = undefined
    this.#freeSince[stream] = now
    this.#from = Math.min(this.#from, stream)
  }
}
