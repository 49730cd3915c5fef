import type { PlayFigures } from '../../../src/client/play/index.ts'
import type { Rally } from '../rally.ts'
import type { NowPlaying } from './now-playing.ts'

const PING_MS = 1_000
/** How much of the last mean stays in the next (RFC 6298 section 2). */
const SMOOTH_RTT = 7 / 8
const SMOOTH_JITTER = 3 / 4

/**
 * What is known of the connection. A match that goes by the clock measures it with every input; without one, while this
 * runs, a ping a second does.
 */
export class NetMeter {
  readonly #rally: Rally
  readonly #nowPlaying: NowPlaying
  #rttMs = 0
  #jitterMs = 0

  constructor(rally: Rally, nowPlaying: NowPlaying) {
    this.#rally = rally
    this.#nowPlaying = nowPlaying
    this.#rttMs = rally.clock.rttMs
    this.#jitterMs = rally.clock.jitterMs
  }

  /** Those of the match that is being played; null before its beginning and after its end. */
  get figures(): PlayFigures | null {
    const played = this.#nowPlaying.current
    return played && played.status !== 'finished' && played.status !== 'aborted' ? played.figures : null
  }

  get rttMs(): number {
    return (this.#nowPlaying.isTimed ? this.figures?.rttMs : undefined) ?? this.#rttMs
  }

  get jitterMs(): number {
    return (this.#nowPlaying.isTimed ? this.figures?.jitterMs : undefined) ?? this.#jitterMs
  }

  /** Measures until the answered function is called. */
  start(): () => void {
    const rally: object = this.#rally
    if (!isWired(rally)) return () => {}
    const stop = new AbortController()
    let isUnderWay = false
    const ping = () => {
      const isMeasured = this.#nowPlaying.isTimed && this.figures !== null
      if (isUnderWay || isMeasured || this.#rally.status !== 'open') return
      isUnderWay = true
      const sentAt = performance.now()
      rally
        .request('rpc.ping', {}, { signal: stop.signal })
        .then(
          () => this.#take(performance.now() - sentAt),
          // Lost with its connection: the next one tells.
          () => undefined,
        )
        .finally(() => {
          isUnderWay = false
        })
    }
    ping()
    const timer = setInterval(ping, PING_MS)
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }

  #take(rttMs: number): void {
    this.#jitterMs = mean(this.#jitterMs, Math.abs(this.#rttMs - rttMs), SMOOTH_JITTER)
    this.#rttMs = mean(this.#rttMs, rttMs, SMOOTH_RTT)
  }
}

function mean(last: number, next: number, share: number): number {
  return last * share + next * (1 - share)
}

/** Every client can call by a wire name; what is not of a module is no part of its public face. */
function isWired(rally: object): rally is {
  request(type: string, data: object, options: { readonly signal: AbortSignal }): Promise<unknown>
} {
  return typeof Reflect.get(rally, 'request') === 'function'
}
