import type { QueueState } from '../../../src/modules/matches/types.ts'
import { aboutSo, clockTime } from '../format.ts'
import { useAction } from '../hooks/use-action.ts'
import { useNow } from '../hooks/use-now.ts'
import { useRally } from '../rally.ts'
import { Button } from '../ui/button.tsx'
import { ErrorNotice } from '../ui/notice.tsx'

interface SearchingProps {
  readonly queue: QueueState
  readonly game: string
  /** This page goes to the match that is found. */
  readonly opensItself: boolean
}

/** The user waits for a ranked match: for how long, and how to give up. */
export function Searching({ queue, game, opensItself }: SearchingProps) {
  const rally = useRally()
  useNow(1_000)
  const waitedMs = queue.since === null ? 0 : Math.max(0, rally.clock.now() - queue.since)
  const estimatedMs = queue.queues.find((each) => each.game === queue.game)?.estimatedWaitMs ?? null
  const lately = estimatedMs === null ? '' : `others waited ${aboutSo(estimatedMs)} · `
  const giveUp = useAction(async (call) => {
    await rally.matches.dequeue({}, call)
  })
  return (
    <>
      <div className="searching" data-testid="searching">
        <span className="spinner" aria-hidden="true" />
        <p className="searching-text">
          <strong>Looking for an opponent at {game}</strong>
          <span className="soft small">
            <span className="numbers">{clockTime(waitedMs)}</span> · {lately}
            {opensItself ? 'the match opens by itself' : 'a notice leads to the match'}
          </span>
        </p>
        <Button busy={giveUp.busy} onClick={() => giveUp.run()} data-testid="leave-queue">
          Cancel
        </Button>
      </div>
      <ErrorNotice error={giveUp.error} />
    </>
  )
}
