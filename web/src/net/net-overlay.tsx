import { useEffect, useState, useSyncExternalStore } from 'react'
import { useRally, useStatus } from '../rally.ts'
import { CloseIcon } from '../ui/icons.tsx'
import { BadNetworkControls } from './bad-network.tsx'
import { useNet } from './net-context.ts'
import { NetFigures } from './net-figures.tsx'
import { NetGraph } from './net-graph.tsx'
import { NetMeter } from './net-meter.ts'

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
