import { MAX_STREAM } from '../../protocol/live-frames.ts'

/** A number is not used again for this long, as frames of its match may still be under way. */
const REST_MS = 5_000

/** The numbers that name matches in binary frames. A match gets the smallest one that is free, as small ones take fewer bytes. */
export class StreamNumbers<Match> {
  readonly #matches: (Match | undefined)[] = []
  /** When each number became free. */
  readonly #freeSince: number[] = []
  /** No number below this is free. */
  #from = 0

  /** `now` is a monotonic time in ms. @throws RangeError when all 2^30 are taken. */
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
