import { useEffect, useState } from 'react'
import type { PlayFigures } from '../../../src/client/play/index.ts'
import type { Rally } from '../rally.ts'
import type { NowPlaying } from './page-network.ts'

const REFRESH_MS = 250
const NONE = '–'

interface Figure {
  readonly id: string
  readonly name: string
  readonly unit?: string
  /** Says more about the name. */
  readonly title: string
  /** Null when there is nothing to say without a match. */
  readonly of: (figures: PlayFigures | null, meter: NetMeter) => string | null
}

const FIGURES: readonly Figure[] = [
  { id: 'rtt', name: 'Round trip', unit: 'ms', title: 'There and back', of: (_, { rttMs }) => whole(rttMs) },
  {
    id: 'jitter',
    name: 'Jitter',
    unit: 'ms',
    title: 'How uneven that is, in the mean',
    of: (_, m) => whole(m.jitterMs),
  },
  {
    id: 'ahead',
    name: 'Ahead',
    unit: 'ticks',
    title: 'How far what you see is ahead of what can be known here; below zero for spectators',
    of: (f) => f && tenths(f.ticksAhead),
  },
  {
    id: 'rollbacks',
    name: 'Rollbacks',
    unit: '/s',
    title: 'How often the past turned out differently',
    of: (f) => f && tenths(f.rollbacksPerSecond),
  },
  {
    id: 'depth',
    name: 'Depth, p99',
    title: 'Ticks that were played again in a rollback: in the mean, and at most in 99 of 100',
    of: (f) => f && `${tenths(f.meanRollbackDepth)} / ${whole(f.p99RollbackDepth)}`,
  },
  {
    id: 'corrections',
    name: 'Corrections',
    title: 'Rollbacks that changed what is drawn, since the match was opened',
    of: (f) => f && whole(f.corrections),
  },
  {
    id: 'in',
    name: 'In',
    unit: 'B/s',
    title: 'Bytes of this match that come in',
    of: (f) => f && whole(f.bytesInPerSecond),
  },
  { id: 'out', name: 'Out', unit: 'B/s', title: 'Bytes of it that go out', of: (f) => f && whole(f.bytesOutPerSecond) },
  {
    id: 'desyncs',
    name: 'Desyncs',
    title: 'Times that the state here was not the one of the server',
    of: (f) => f && whole(f.desyncs),
  },
]

/** What the netcode does, in numbers. Where no match is followed, what is known of the connection. */
export function NetFigures({ meter }: { meter: NetMeter }) {
  const [values, setValues] = useState<readonly (string | null)[]>([])
  useEffect(() => {
    const look = () => {
      const { figures } = meter
      setValues(FIGURES.map(({ of }) => of(figures, meter)))
    }
    look()
    const timer = setInterval(look, REFRESH_MS)
    return () => clearInterval(timer)
  }, [meter])

  return (
    <dl className="net-figures">
      {FIGURES.map(({ id, name, unit, title }, index) => {
        const value = values[index] ?? null
        return (
          <div key={id} title={title}>
            <dt>{name}</dt>
            <dd className="numbers">
              <span data-testid={`net-figure-${id}`}>{value ?? NONE}</span>
              {unit && value !== null && <small> {unit}</small>}
            </dd>
          </div>
        )
      })}
    </dl>
  )
}

function whole(value: number): string {
  return Math.round(value).toString()
}

function tenths(value: number): string {
  return value.toFixed(1)
}

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
