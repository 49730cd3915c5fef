import { useEffect, useState } from 'react'
import type { PlayFigures } from '../../../src/client/play/index.ts'
import type { NetMeter } from './net-meter.ts'

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
