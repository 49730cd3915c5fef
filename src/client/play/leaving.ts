/**
 * Calls `leave` when the page is hidden, left or no longer has the keyboard: what is let go of from then on is not heard.
 * Where there is no page (Node) it never does. Gives a function that stops.
 */
export function onLeaving(leave: () => void): () => void {
  if (typeof document === 'undefined') return () => {}
  const hidden = () => {
    if (document.visibilityState === 'hidden') leave()
  }
  addEventListener('pagehide', leave)
  addEventListener('blur', leave)
  document.addEventListener('visibilitychange', hidden)
  return () => {
    removeEventListener('pagehide', leave)
    removeEventListener('blur', leave)
    document.removeEventListener('visibilitychange', hidden)
  }
}
