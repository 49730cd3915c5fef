import { useEffect, useRef } from 'react'
import { viewOf } from '../games/index.ts'
import { navigate, paths, type Route } from '../router.tsx'
import { hasSearchMark, markSearch } from './search-mark.ts'
import { Searching } from './searching.tsx'
import { useQueue } from './use-queue.ts'

/**
 * In the tab in which the user looks for a match: goes to the one that is found, but not out of a match or a room, where a call
 * may run. A notice leads there then. On other pages than the lobby it says that the user waits.
 */
export function QueueNotice({ route, isPlaying }: { route: Route; isPlaying: boolean }) {
  const queue = useQueue()
  const hasWaited = useRef(false)
  const status = queue?.status
  const matchId = queue?.matchId ?? null
  const isBusy = isPlaying || route.page === 'room'
  useEffect(() => {
    if (status === 'waiting') {
      hasWaited.current = true
      return
    }
    if (!hasWaited.current) return
    hasWaited.current = false
    const isSearch = hasSearchMark()
    markSearch(false)
    if (status === 'matched' && isSearch && matchId !== null && !isBusy) navigate(paths.match(matchId))
  }, [status, matchId, isBusy])
  if (queue?.status !== 'waiting' || route.page === 'lobby' || isPlaying) return null
  return (
    <div className="notice queue-notice">
      <Searching queue={queue} game={viewOf(queue.game ?? '')?.label ?? ''} opensItself={hasSearchMark() && !isBusy} />
    </div>
  )
}
