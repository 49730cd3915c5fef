import { CutIcon } from '../ui/icons.tsx'
import { useNet, useNetworkState } from './net-context.ts'
import { type BadNetworkSettings, STALL_EVERY_MS } from './page-network.ts'

interface Fault {
  readonly key: keyof BadNetworkSettings
  readonly testId: string
  readonly name: string
  readonly max: number
  readonly step: number
}

const FAULTS: readonly Fault[] = [
  { key: 'latencyMs', testId: 'net-latency', name: 'Round trip', max: 600, step: 10 },
  { key: 'jitterMs', testId: 'net-jitter', name: 'Jitter up to', max: 200, step: 5 },
  { key: 'stallMs', testId: 'net-stall', name: `Stall every ${STALL_EVERY_MS / 1000} s`, max: 1000, step: 50 },
]

/** Makes this page's own connection a bad one, to see what the netcode makes of it. */
export function BadNetworkControls() {
  const { network } = useNet()
  const { isBad, settings } = useNetworkState()
  return (
    <div className="net-bad" data-on={isBad || undefined}>
      <div className="net-row">
        <label className="net-switch">
          <input
            type="checkbox"
            checked={isBad}
            onChange={(event) => network.setBad(event.target.checked)}
            data-testid="net-switch"
          />
          Bad network
        </label>
        <button
          type="button"
          className="button button-small net-cut"
          title="Cut the connection of this page; it comes back by itself"
          onClick={() => network.cut()}
          data-testid="net-cut"
        >
          <CutIcon />
          Cut now
        </button>
      </div>
      {FAULTS.map(({ key, testId, name, max, step }) => (
        <label key={key} className="net-slider">
          <span>{name}</span>
          <input
            className="range"
            type="range"
            min={0}
            max={max}
            step={step}
            value={settings[key]}
            disabled={!isBad}
            aria-valuetext={`${settings[key]} ms`}
            // The arrow keys are wanted back by who plays.
            onPointerUp={(event) => event.currentTarget.blur()}
            onChange={(event) => network.set({ [key]: Number(event.target.value) })}
            data-testid={testId}
          />
          <output className="numbers">+{settings[key]} ms</output>
        </label>
      ))}
    </div>
  )
}
