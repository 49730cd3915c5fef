import { useEffect, useState } from 'react'
import { CrashGuard, later } from '../ui/error-boundaries.tsx'
import { useNet, useNetworkState } from './page-network.ts'

const NetOverlay = later(() => import('./network-overlay.tsx').then(({ NetOverlay }) => NetOverlay))

/** What opens and closes the view of the network. It is loaded when it is first wanted. */
export function NetPanel() {
  const net = useNet()
  const [isOpen, setOpen] = useState(false)
  const { isBad } = useNetworkState()
  useEffect(() => net.onToggle(() => setOpen((wasOpen) => !wasOpen)), [net])
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.key !== 'F9' || event.repeat) return
      event.preventDefault()
      net.toggle()
    }
    addEventListener('keydown', down)
    return () => removeEventListener('keydown', down)
  }, [net])
  if (isOpen) {
    return (
      <div className="net-place">
        <CrashGuard>
          <NetOverlay onClose={() => setOpen(false)} />
        </CrashGuard>
      </div>
    )
  }
  if (!isBad) return null
  return (
    <button type="button" className="net-badge" onClick={() => setOpen(true)} data-testid="net-badge">
      Bad network is on
    </button>
  )
}
