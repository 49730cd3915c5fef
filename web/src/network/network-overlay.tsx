import { useEffect, useState, useSyncExternalStore } from 'react'
import { useRally, useStatus } from '../rally.ts'
import { CloseIcon, CutIcon } from '../ui/icons.tsx'
import { NetFigures, NetMeter } from './network-figures.tsx'
import { NetGraph } from './network-graph.tsx'
import { type BadNetworkSettings, STALL_EVERY_MS, useNet, useNetworkState } from './page-network.ts'

/** The network of this page as it works, and a way of making it a bad one. It lies over the page. */
export function NetOverlay({ onClose }: { onClose: () => void }) {
  const rally = useRally()
  const { nowPlaying } = useNet()
  const [meter] = useState(() => new NetMeter(rally, nowPlaying))
  useEffect(() => meter.start(), [meter])
  const isPlaying = useSyncExternalStore(nowPlaying.onChange, () => nowPlaying.current !== null)
  const status = useStatus()
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      // A dialog closes first.
      if (event.key === 'Escape' && !document.querySelector('dialog[open]')) onClose()
    }
    addEventListener('keydown', down)
    return () => removeEventListener('keydown', down)
  }, [onClose])
  return (
    <section className="net" aria-label="Network" data-testid="net-overlay" data-status={status}>
      <header className="net-head">
        <h2>Network</h2>
        <kbd>F9</kbd>
        <button type="button" className="net-close" aria-label="Close" onClick={onClose} data-testid="net-close">
          <CloseIcon />
        </button>
      </header>
      <NetGraph meter={meter} />
      <NetFigures meter={meter} />
      {!isPlaying && <p className="net-soft net-hint">The rest is there while you play or watch a match.</p>}
      <BadNetworkControls />
    </section>
  )
}

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
function BadNetworkControls() {
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
