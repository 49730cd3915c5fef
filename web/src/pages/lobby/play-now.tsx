import { useState } from 'react'
import type { GameName } from '../../../../src/games/index.ts'
import type { QueueState } from '../../../../src/modules/matches/types.ts'
import { aboutSo } from '../../format.ts'
import { gameNames, gameViews, viewOf } from '../../games/index.ts'
import { useAction } from '../../hooks/use-action.ts'
import { hasSearchMark, markSearch } from '../../queue/search-mark.ts'
import { Searching } from '../../queue/searching.tsx'
import { useQueue } from '../../queue/use-queue.ts'
import { useRally } from '../../rally.ts'
import { Button } from '../../ui/button.tsx'
import { Choice } from '../../ui/field.tsx'
import { PlayIcon } from '../../ui/icons.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

/** The button for a ranked match right away, and the wait for it. */
export function PlayNow() {
  const rally = useRally()
  const queue = useQueue()
  const [game, setGame] = useState<GameName>('pong')
  const play = useAction(async (call) => {
    markSearch(true)
    await rally.matches.enqueue({ game }, call)
  })
  const isWaiting = queue?.status === 'waiting'
  return (
    <section className="card play-now" aria-labelledby="play-now">
      <h2 id="play-now">Ranked match</h2>
      <div role="status" className="hidden-visually">
        {isWaiting ? 'Looking for an opponent' : ''}
      </div>
      {isWaiting ? (
        <Searching queue={queue} game={viewOf(queue.game ?? '')?.label ?? ''} opensItself={hasSearchMark()} />
      ) : (
        <>
          <Choice
            legend="Game"
            value={game}
            onChange={setGame}
            options={gameNames.map((name) => ({
              value: name,
              label: gameViews[name].label,
              testId: `play-now-${name}`,
            }))}
          />
          <Button
            look="primary"
            wide
            className="play-now-button"
            busy={play.busy}
            onClick={() => play.run()}
            data-testid="play-now"
          >
            <PlayIcon />
            Play now
          </Button>
          <p className="soft small play-now-wait" data-testid="estimated-wait">
            {queue ? waitWords(queue, game) : ' '}
          </p>
          <ErrorNotice error={play.error} />
        </>
      )}
    </section>
  )
}

function waitWords({ queues }: QueueState, game: string): string {
  const { waiting = 0, estimatedWaitMs = null } = queues.find((queue) => queue.game === game) ?? {}
  if (waiting > 0) return `${waiting === 1 ? 'Somebody waits' : `${waiting} players wait`} for an opponent now.`
  if (estimatedWaitMs === null) return 'Finds an opponent of about your rating. Nobody has played lately.'
  return `Finds an opponent of about your rating: ${aboutSo(estimatedWaitMs)} lately.`
}
