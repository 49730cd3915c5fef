/**
 * Calls `wake` when the network is back or the page is seen again: moments at which waiting makes no sense. Where there
 * is no page (Node) it never does. Gives a function that stops.
 */
export function onWake(wake: () => void): () => void {
  if (typeof document === 'undefined') return () => {}
  const seen = () => {
    if (document.visibilityState === 'visible') wake()
  }
  addEventListener('online', wake)
  document.addEventListener('visibilitychange', seen)
  return () => {
    removeEventListener('online', wake)
    document.removeEventListener('visibilitychange', seen)
  }
}

const ACTIVITY = ['pointermove', 'pointerdown', 'keydown'] as const

/** Calls `notice` at each move of the user in the page, which may be many a second. Gives a function that stops. */
export function onActivity(notice: () => void): () => void {
  if (typeof document === 'undefined') return () => {}
  for (const move of ACTIVITY) addEventListener(move, notice, { passive: true })
  return () => {
    for (const move of ACTIVITY) removeEventListener(move, notice)
  }
}
