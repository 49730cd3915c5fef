import { useCallback, useState } from 'react'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { viewOf } from '../../games/index.ts'
import type { OwnCall } from '../../hooks/use-action.ts'
import { PairingLinks } from '../../player-links.tsx'
import { useRally } from '../../rally.ts'
import { Link, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { Choice } from '../../ui/field.tsx'
import { EmptyCourt, EyeIcon } from '../../ui/icons.tsx'
import { Empty } from '../../ui/notice.tsx'
import { PagedList, usePages } from '../../ui/paged-list.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'
import { ConfirmDialog, ReasonField } from './confirm-dialog.tsx'

type Status = Match['status']

const STATUS = [
  { value: 'live', label: 'Live' },
  { value: 'waiting', label: 'Waiting' },
  { value: 'finished', label: 'Finished' },
  { value: 'aborted', label: 'Aborted' },
] as const satisfies readonly { value: Status; label: string }[]

/** Every match, private ones too. */
export function Matches() {
  const [status, setStatus] = useState<Status>('live')
  return (
    <>
      <Choice legend="Which matches" value={status} options={STATUS} onChange={setStatus} />
      <MatchList key={status} status={status} />
    </>
  )
}

function MatchList({ status }: { status: Status }) {
  const rally = useRally()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) =>
      rally.admin.matches({ status, ...(cursor && { cursor }) }, { signal }),
    [rally, status],
  )
  const { pages, action, forget } = usePages(load)
  return (
    <PagedList pages={pages} action={action} loading="Fetching matches…">
      {pages?.items.length === 0 && (
        <Empty art={<EmptyCourt />} title="No matches">
          None is {status} now.
        </Empty>
      )}
      {pages && pages.items.length > 0 && (
        <ul className="list" data-testid="admin-matches">
          {pages.items.map((match) => (
            <MatchItem key={match.id} match={match} onAborted={() => forget(match)} />
          ))}
        </ul>
      )}
    </PagedList>
  )
}

function MatchItem({ match, onAborted }: { match: Match; onAborted: () => void }) {
  const rally = useRally()
  const view = viewOf(match.game)
  const [isAsking, setAsking] = useState(false)
  const [reason, setReason] = useState('')
  const isOpen = match.status === 'live' || match.status === 'waiting'
  return (
    <li className="list-item" data-match={match.id}>
      {view && <view.Mark />}
      <div className="list-text">
        <strong>
          <PairingLinks match={match} /> {match.visibility === 'private' && <span className="tag">private</span>}
        </strong>
        <span className="small soft">
          {view?.label ?? match.game}, {match.mode} · <TimeAgo at={match.createdAt} />
        </span>
      </div>
      <Link className="button button-small" href={paths.match(match.id)} data-testid="watch-match">
        <EyeIcon />
        {match.status === 'live' ? 'Watch' : 'Look'}
      </Link>
      {isOpen && (
        <Button small look="danger" onClick={() => setAsking(true)} data-testid="act-abort">
          Stop
        </Button>
      )}
      {isAsking && (
        <ConfirmDialog
          title="Stop this match?"
          act="Stop it"
          isReady={reason.trim() !== ''}
          onClose={() => setAsking(false)}
          run={async (call) => {
            await rally.admin.abort({ matchId: match.id, reason }, call)
            setAsking(false)
            onAborted()
          }}
        >
          <p>It ends without a result. Its players are told that an admin stopped it.</p>
          <ReasonField value={reason} onChange={setReason} />
        </ConfirmDialog>
      )}
    </li>
  )
}
