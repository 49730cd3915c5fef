import { useEffect } from 'react'
import { useStore } from '../store.ts'
import { CrashGuard, later } from '../ui/error-boundaries.tsx'
import { useNet } from './page-network.ts'

const NetworkOverlay = later(() => import('./network-overlay.tsx').then(({ NetworkOverlay }) => NetworkOverlay))

/** Opens and closes the view of the network. It is loaded when it is first wanted. */
export function NetworkPanel() {
  const net = useNet()
  const isOpen = useStore(net.isPanelOpen)
  const { isBad } = useStore(net.network)
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.key !== 'F9' || event.repeat) return
      event.preventDefault()
      net.togglePanel()
    }
    addEventListener('keydown', down)
    return () => removeEventListener('keydown', down)
  }, [net])
  if (isOpen) {
    return (
      <div className="net-place">
        <CrashGuard>
          <NetworkOverlay />
        </CrashGuard>
      </div>
    )
  }
  if (!isBad) return null
  return (
    <button type="button" className="net-badge" onClick={() => net.togglePanel()} data-testid="net-badge">
      Bad network is on
    </button>
  )
}
