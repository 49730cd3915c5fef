import { lazy, Suspense, useEffect, useState } from 'react'
import { useNet, useNetworkState } from './net-context.ts'

const NetOverlay = lazy(async () => ({ default: (await import('./net-overlay.tsx')).NetOverlay }))

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
      <Suspense fallback={null}>
        <NetOverlay onClose={() => setOpen(false)} />
      </Suspense>
    )
  }
  if (!isBad) return null
  return (
    <button type="button" className="net-badge" onClick={() => setOpen(true)} data-testid="net-badge">
      Bad network is on
    </button>
  )
}
