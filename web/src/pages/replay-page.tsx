import { useCallback, useEffect, useState } from 'react'
import { RallyError } from '../../../src/client/index.ts'
import type { Replay } from '../../../src/modules/live/types.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import { errorCode } from '../error-messages.ts'
import { viewOf } from '../games/index.ts'
import { endWords, pairing, resultTitle, scoreLine, seatsOf } from '../match-text.ts'
import { type Rally, useRally, useUser } from '../rally.ts'
import { Link, paths } from '../router.tsx'
import { CopyButton, TextButton } from '../ui/button.tsx'
import { ErrorNotice, Loading, Notice } from '../ui/notice.tsx'
import { Page } from '../ui/page.tsx'
import { TimeAgo } from '../ui/time-ago.tsx'

const WORDS = {
  NOT_FOUND: 'There is no match at this address.',
  VALIDATION_FAILED: 'There is no match at this address.',
  NOT_FINISHED: 'There is no replay of this match: it was not played to its end, or that is too long ago.',
  TOO_LONG: 'This match is too long to be shown here.',
}

/** Whether trying again would give the same answer. */
function isForGood(error: unknown): boolean {
  const code = errorCode(error)
  return code !== null && Object.hasOwn(WORDS, code)
}

/** A finished match, to be looked at again by whoever knows its address. */
export function ReplayPage({ matchId }: { matchId: string }) {
  const rally = useRally()
  const [loaded, setLoaded] = useState<LoadedReplay | null>(null)
  const [error, setError] = useState<unknown>(null)
  const load = useCallback(() => {
    const stop = new AbortController()
    setError(null)
    loadReplay(rally, matchId, stop.signal).then(
      (replay) => {
        if (!stop.signal.aborted) setLoaded(replay)
      },
      (reason: unknown) => {
        if (!stop.signal.aborted) setError(reason ?? new Error('failed'))
      },
    )
    return () => stop.abort()
  }, [rally, matchId])
  useEffect(load, [load])

  if (error !== null) {
    return (
      <Page title="Replay" fit="narrow">
        <div className="stack">
          <ErrorNotice error={error} words={WORDS}>
            {!isForGood(error) && (
              <>
                {' '}
                <TextButton onClick={load}>Try again</TextButton>
              </>
            )}
          </ErrorNotice>
          <div>
            <Link className="button" href={paths.lobby}>
              To the lobby
            </Link>
          </div>
        </div>
      </Page>
    )
  }
  if (!loaded) return <Loading>Fetching the match…</Loading>
  return loaded.replay ? <Shown match={loaded.match} replay={loaded.replay} /> : <NoReplay match={loaded.match} />
}

function Shown({ match, replay }: LoadedReplay & { readonly replay: NonNullable<LoadedReplay['replay']> }) {
  const user = useUser()
  const view = viewOf(match.game)
  const at = match.finishedAt ?? match.createdAt
  const mine = seatsOf(match, user?.id)
  const end = endWords(match, mine)
  return (
    <Page
      title="Replay"
      tabTitle={`Replay: ${pairing(match)}`}
      fit={view ? `${view.fit} fit-replay` : 'narrow'}
      aside={
        <div className="row replay-actions">
          <CopyButton small text={location.origin + paths.replay(match.id)} what="link" />
          <Link className="button button-small" href={paths.match(match.id)}>
            To the match
          </Link>
        </div>
      }
    >
      <div className="stack match">
        <p className="match-status">
          <span data-testid="replay-result">
            {resultTitle(match, mine)}, {scoreLine(match)}
          </span>
          <span className="soft">
            {' '}
            · {view?.label ?? match.game}, <TimeAgo at={at} />
            {end && ` · ${end}`}
          </span>
        </p>
        {view ? (
          <view.ReplayStage match={match} replay={replay} />
        ) : (
          <Notice look="warn">This page is too old for this game. Reload it.</Notice>
        )}
      </div>
    </Page>
  )
}

function NoReplay({ match }: { match: Match }) {
  const isOver = match.status === 'finished' || match.status === 'aborted'
  return (
    <Page title="Replay" fit="narrow">
      <div className="stack">
        <Notice look="info">
          {isOver
            ? 'This match was broken off, so there is nothing to be seen again.'
            : 'This match is not over yet. It can be seen again as soon as it is.'}
        </Notice>
        <div>
          <Link className="button" href={paths.match(match.id)}>
            {match.status === 'live' ? 'Watch it live' : 'To the match'}
          </Link>
        </div>
      </div>
    </Page>
  )
}

/** A match that may be as long as this, in answers of some 16,000 changes each. */
const MAX_ANSWERS = 50

interface LoadedReplay {
  readonly match: Match
  /** Null while the match is not over, or when it was not played to its end. */
  readonly replay: Replay | null
}

/** A match and, if it has one, its whole replay. @throws RallyError */
export async function loadReplay(rally: Rally, matchId: string, signal: AbortSignal): Promise<LoadedReplay> {
  const match = await rally.matches.getOne({ matchId }, { signal })
  if (match.status !== 'finished') return { match, replay: null }
  const first = await rally.live.getReplay({ matchId }, { signal })
  const changes = [...first.changes]
  let { next } = first
  for (let answers = 1; next !== null; answers++) {
    if (answers >= MAX_ANSWERS) throw new RallyError('TOO_LONG', 'The replay does not end')
    const more = await rally.live.getReplay({ matchId, from: next }, { signal })
    changes.push(...more.changes)
    next = more.next
  }
  return { match, replay: { ...first, changes, next: null } }
}
