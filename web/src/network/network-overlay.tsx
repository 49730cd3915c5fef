import { useEffect, useState } from 'react'
import { useRally, useStatus } from '../rally.ts'
import { useStore } from '../store.ts'
import { CloseIcon, CutIcon } from '../ui/icons.tsx'
import { NetworkFigures, NetworkStatistics } from './network-figures.tsx'
import { NetworkGraph } from './network-graph.tsx'
import { type BadNetworkSettings, STALL_EVERY_MS, useNet } from './page-network.ts'

/** Shows how this page's network works, and can make it a bad one. It lies over the page. */
export function NetworkOverlay() {
  const rally = useRally()
  const net = useNet()
  const [statistics] = useState(() => new NetworkStatistics(rally, net.followed))
  useEffect(() => statistics.start(), [statistics])
  const isPlaying = useStore(net.followed) !== null
  const status = useStatus()
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      // A dialog closes first.
      if (event.key === 'Escape' && !document.querySelector('dialog[open]')) net.togglePanel()
    }
    addEventListener('keydown', down)
    return () => removeEventListener('keydown', down)
  }, [net])
  const close = () => net.togglePanel()
  return (
    <section className="net" aria-label="Network" data-testid="net-overlay" data-status={status}>
      <header className="net-head">
        <h2>Network</h2>
        <kbd>F9</kbd>
        <button type="button" className="net-close" aria-label="Close" onClick={close} data-testid="net-close">
          <CloseIcon />
        </button>
      </header>
      <NetworkGraph statistics={statistics} />
      <NetworkFigures statistics={statistics} />
      {!isPlaying && <p className="net-soft net-hint">The rest is there while you play or watch a match.</p>}
      <BadNetworkControls />
    </section>
  )
}

const FAULTS = [
  { key: 'latencyMs', testId: 'net-latency', name: 'Round trip', max: 600, step: 10 },
  { key: 'jitterMs', testId: 'net-jitter', name: 'Jitter up to', max: 200, step: 5 },
  { key: 'stallMs', testId: 'net-stall', name: `Stall every ${STALL_EVERY_MS / 1000} s`, max: 1000, step: 50 },
] as const satisfies readonly { key: keyof BadNetworkSettings; [more: string]: unknown }[]

/** Makes this page's own connection a bad one, to show how the netcode deals with it. */
function BadNetworkControls() {
  const { network } = useNet()
  const { isBad, settings } = useStore(network)
  return (
    <div className="net-bad" data-on={isBad || undefined}>
      <div className="net-row">
        <label className="net-switch">
          <input
            type="checkbox"
            checked={isBad}
            onChange={(event) => network.set({ isBad: event.target.checked, settings })}
            data-testid="net-switch"
          />
          Bad network
        </label>
        <button
          type="button"
          className="button button-small net-cut"
          title="Cut the connection of this page; the page reconnects by itself"
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
            // A player needs the arrow keys again.
            onPointerUp={(event) => event.currentTarget.blur()}
            onChange={(event) => network.change({ [key]: Number(event.target.value) })}
            data-testid={testId}
          />
          <output className="numbers">+{settings[key]} ms</output>
        </label>
      ))}
    </div>
  )
}
