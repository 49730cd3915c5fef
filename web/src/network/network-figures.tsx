import { useEffect, useState } from 'react'
import { Clock, localNow } from '../../../src/client/clock.ts'
import type { PlayFigures } from '../../../src/client/play/index.ts'
import type { Rally } from '../rally.ts'
import type { Store } from '../store.ts'
import type { Followed } from './page-network.ts'

const REFRESH_MS = 250
const NONE = '–'

type Figure = [
  id: string,
  name: string,
  unit: string,
  /** Says more about the name. */
  title: string,
  /** Null for what is unknown without a match. */
  of: (figures: PlayFigures | null, statistics: NetworkStatistics) => string | null,
]

const FIGURES: readonly Figure[] = [
  ['rtt', 'Round trip', 'ms', 'There and back', (_, { rttMs }) => whole(rttMs)],
  ['jitter', 'Jitter', 'ms', 'The mean change of the round trip', (_, { jitterMs }) => whole(jitterMs)],
  [
    'ahead',
    'Ahead',
    'ticks',
    'How far what you see is ahead of what is known here; below zero for spectators',
    (f) => f && tenths(f.ticksAhead),
  ],
  ['rollbacks', 'Rollbacks', '/s', 'How often a prediction was wrong', (f) => f && tenths(f.rollbacksPerSecond)],
  [
    'depth',
    'Depth, p99',
    '',
    'Ticks that a rollback played again: the mean, and the 99th percentile',
    (f) => f && `${tenths(f.meanRollbackDepth)} / ${whole(f.p99RollbackDepth)}`,
  ],
  ['corrections', 'Corrections', '', 'Rollbacks that changed what is drawn', (f) => f && whole(f.corrections)],
  ['in', 'In', 'B/s', 'Bytes of this match that come in', (f) => f && whole(f.bytesInPerSecond)],
  ['out', 'Out', 'B/s', 'Bytes of this match that go out', (f) => f && whole(f.bytesOutPerSecond)],
  ['desyncs', 'Desyncs', '', 'How often the state here differed from the server’s', (f) => f && whole(f.desyncs)],
]

/** The netcode in numbers; without a match those of the connection alone. */
export function NetworkFigures({ statistics }: { statistics: NetworkStatistics }) {
  const [values, setValues] = useState<readonly (string | null)[]>([])
  useEffect(() => {
    const look = () => {
      const { figures } = statistics
      setValues(FIGURES.map(([, , , , of]) => of(figures, statistics)))
    }
    look()
    const timer = setInterval(look, REFRESH_MS)
    return () => clearInterval(timer)
  }, [statistics])

  return (
    <dl className="net-figures">
      {FIGURES.map(([id, name, unit, title], index) => {
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

/** Measures the connection: a timed match does it with every input; without one, a ping a second does. */
export class NetworkStatistics {
  readonly #rally: Rally
  readonly #followed: Store<Followed | null>
  readonly #pings = new Clock()

  constructor(rally: Rally, followed: Store<Followed | null>) {
    this.#rally = rally
    this.#followed = followed
  }

  /** Those of the followed match; null where there is none, and after its end. */
  get figures(): PlayFigures | null {
    const play = this.#followed.current?.play
    return play && play.status !== 'finished' && play.status !== 'aborted' ? play.figures : null
  }

  get rttMs(): number {
    return this.#timed?.rttMs ?? (this.#pings.rttMs || this.#rally.clock.rttMs)
  }

  get jitterMs(): number {
    return this.#timed?.jitterMs ?? (this.#pings.rttMs ? this.#pings.jitterMs : this.#rally.clock.jitterMs)
  }

  /** Pings until the function that this returns is called. */
  start(): () => void {
    const rally: object = this.#rally
    if (!canRequest(rally)) return () => {}
    const stop = new AbortController()
    let isUnderWay = false
    const ping = async () => {
      if (isUnderWay || this.#timed || this.#rally.status !== 'open') return
      isUnderWay = true
      const sentAt = localNow()
      try {
        await rally.request('rpc.ping', {}, { signal: stop.signal })
        this.#pings.add(sentAt, sentAt)
      } catch {
        // Lost with its connection: the next one measures again.
      }
      isUnderWay = false
    }
    void ping()
    const timer = setInterval(ping, PING_MS)
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }

  get #timed(): PlayFigures | null {
    return this.#followed.current?.isTimed ? this.figures : null
  }
}

/** Every client has `request`, which is not typed: `rpc.ping` belongs to no module. */
function canRequest(rally: object): rally is {
  request(type: string, data: object, options: { readonly signal: AbortSignal }): Promise<unknown>
} {
  return typeof Reflect.get(rally, 'request') === 'function'
}
