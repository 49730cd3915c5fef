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
