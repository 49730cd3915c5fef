import { useEffect, useRef } from 'react'
import { viewOf } from '../games/index.ts'
import { navigate, paths, type Route } from '../router.tsx'
import { Searching } from './searching.tsx'
import { useQueue } from './use-queue.ts'

/** Goes to the match that the queue has found, from any page. On other pages than the lobby it says that the user waits. */
export function QueueNotice({ route, isPlaying }: { route: Route; isPlaying: boolean }) {
  const queue = useQueue()
  const hasWaited = useRef(false)
  const status = queue?.status
  const matchId = queue?.matchId ?? null
  useEffect(() => {
    if (status === 'waiting') hasWaited.current = true
    // Nobody is taken out of a match that they play; the notice of other matches tells them.
    else if (status === 'matched' && hasWaited.current && matchId !== null && !isPlaying) navigate(paths.match(matchId))
    if (status !== 'waiting') hasWaited.current = false
  }, [status, matchId, isPlaying])
  if (queue?.status !== 'waiting' || route.page === 'lobby' || isPlaying) return null
  return (
    <div className="notice queue-notice">
      <Searching queue={queue} game={viewOf(queue.game ?? '')?.label ?? ''} />
    </div>
  )
}
