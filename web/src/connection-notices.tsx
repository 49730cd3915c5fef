import { useEffect, useState } from 'react'
import { useRally, useRefusal, useStatus } from './rally.ts'
import { TextButton } from './ui/button.tsx'
import { Loading, Notice } from './ui/notice.tsx'

/** How long a cut lasts before the page tells of it: most are over before. */
const CUT_MS = 600
/** How long the first connection may take before the page tells of it. */
const FIRST_MS = 4000

/** Says that the connection is lost. It lies over the page, so that nothing moves. */
export function ConnectionBanner() {
  const rally = useRally()
  const status = useStatus()
  const refusal = useRefusal()
  const isShown = useLasting(status === 'reconnecting' || status === 'closed', CUT_MS)
  // The page says so itself.
  if (!isShown || refusal?.code === 'BANNED') return null
  return (
    <div className="banner">
      <Notice look="warn">
        {status === 'reconnecting' ? 'No connection. Trying again… ' : 'The server ended the connection. '}
        <TextButton onClick={() => rally.reconnect()}>
          {status === 'reconnecting' ? 'Try now' : 'Connect again'}
        </TextButton>
      </Notice>
    </div>
  )
}

/** Stands in for every page until the first connection. */
export function Connecting() {
  const isLong = useLasting(true, FIRST_MS)
  const refusal = useRefusal()
  if (refusal?.code === 'FORBIDDEN') {
    return (
      <Notice look="error">
        The server does not accept connections from {location.origin}. Open the page at the server’s own address.
      </Notice>
    )
  }
  return <Loading>{isLong ? 'The server does not answer. Trying again until it does…' : 'Connecting…'}</Loading>
}

/** Whether `active` has been true for `ms` without a break. */
function useLasting(active: boolean, ms: number): boolean {
  const [isLong, setLong] = useState(false)
  useEffect(() => {
    setLong(false)
    if (!active) return
    const timer = setTimeout(() => setLong(true), ms)
    return () => clearTimeout(timer)
  }, [active, ms])
  return active && isLong
}
