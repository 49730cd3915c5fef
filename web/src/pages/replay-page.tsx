import { useCallback, useEffect, useState } from 'react'
import { RallyError } from '../../../src/client/index.ts'
import type { Replay } from '../../../src/modules/live/types.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import { errorCode } from '../error-messages.ts'
import { viewOf } from '../games/index.ts'
import { type OwnCall, useAction } from '../hooks/use-action.ts'
import { endWords, resultTitle, scoreLine } from '../match-text.ts'
import { pairing, seatsOf } from '../player-names.ts'
import { type Rally, useRally, useUser } from '../rally.ts'
import { Link, paths } from '../router.tsx'
import { ShareButton, TextButton } from '../ui/button.tsx'
import { ErrorNotice, Loading, Notice } from '../ui/notice.tsx'
import { MessagePage, Page } from '../ui/page.tsx'
import { TimeAgo } from '../ui/time-ago.tsx'

const WORDS = {
  NOT_FOUND: 'There is no match at this address.',
  VALIDATION_FAILED: 'There is no match at this address.',
  NOT_FINISHED: 'There is no replay of this match: it was not played to its end, or that is too long ago.',
  TOO_LONG: 'This match is too long to be shown here.',
}

/** A replay of a finished match, for everybody who knows its address. */
export function ReplayPage({ matchId }: { matchId: string }) {
  const rally = useRally()
  const [loaded, setLoaded] = useState<LoadedReplay | null>(null)
  const load = useCallback(
    async ({ signal }: OwnCall) => setLoaded(await loadReplay(rally, matchId, signal)),
    [rally, matchId],
  )
  const { run, error } = useAction(load)
  useEffect(() => run(), [run])

  if (error !== null) {
    const mayHelp = !Object.hasOwn(WORDS, errorCode(error) ?? '')
    return (
      <MessagePage title="Replay">
        <ErrorNotice error={error} words={WORDS}>
          {' '}
          {mayHelp && <TextButton onClick={() => run()}>Try again</TextButton>}
        </ErrorNotice>
      </MessagePage>
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
          <ShareButton url={() => location.origin + paths.replay(match.id)} title={pairing(match)} what="link" />
          <Link className="button button-small" href={paths.match(match.id)}>
            To the match
          </Link>
        </div>
      }
    >
      <div className="match">
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
    <MessagePage
      title="Replay"
      href={paths.match(match.id)}
      to={match.status === 'live' ? 'Watch it live' : 'To the match'}
    >
      <Notice look="info">
        {isOver
          ? 'This match was broken off, so there is no replay of it.'
          : 'This match is not over yet. Its replay is here as soon as it is.'}
      </Notice>
    </MessagePage>
  )
}

/** The longest match that is shown, in answers of some 16,000 changes each. */
const MAX_ANSWERS = 50

interface LoadedReplay {
  readonly match: Match
  /** Null while the match is not over, or when it was not played to its end. */
  readonly replay: Replay | null
}

/** A match and, if it has one, its whole replay. @throws RallyError */
async function loadReplay(rally: Rally, matchId: string, signal: AbortSignal): Promise<LoadedReplay> {
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
