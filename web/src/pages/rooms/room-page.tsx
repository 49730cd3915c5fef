import { useMemo } from 'react'
import type { Room } from '../../../../src/modules/rooms/types.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally, useUser } from '../../rally.ts'
import { ChatPanel } from '../../rooms/chat-panel.tsx'
import { useMembership } from '../../rooms/use-membership.ts'
import { useRoomLog } from '../../rooms/use-room-log.ts'
import { navigate, paths } from '../../router.tsx'
import { Avatar } from '../../ui/avatar.tsx'
import { Button, CopyButton, ShareButton } from '../../ui/button.tsx'
import { LeaveIcon } from '../../ui/icons.tsx'
import { ErrorNotice, Loading, Notice } from '../../ui/notice.tsx'
import { MessagePage, Page } from '../../ui/page.tsx'
import { UserLink } from '../../ui/user-link.tsx'
import { ROOM_KINDS } from './room-kinds.ts'
import { RoomStage } from './room-stage.tsx'

const WORDS = {
  NOT_FOUND: 'This room is closed, or there never was one at this address.',
  ROOM_FULL: 'This room is full.',
  TOO_MANY_ROOMS: 'You are in too many rooms. Leave one first.',
}

/** A room: joins it, and shows its members, its chat, and what its kind adds. */
export function RoomPage({ roomId }: { roomId: string }) {
  const key = useMemo(() => ({ roomId }), [roomId])
  const membership = useMembership(key)
  const { room, ended } = useRoomLog(membership.roomId)
  if (membership.error !== null) {
    return (
      <MessagePage title="No way in" href={paths.rooms} to="To the rooms">
        <ErrorNotice error={membership.error} words={WORDS} />
      </MessagePage>
    )
  }
  if (ended !== null) {
    return (
      <MessagePage title="You left this room" href={paths.rooms} to="To the rooms">
        <Notice>You are not in this room any more.</Notice>
        <div>
          <Button onClick={membership.rejoin} data-testid="rejoin-room">
            Come back
          </Button>
        </div>
      </MessagePage>
    )
  }
  if (!room) return <Loading>Opening the room…</Loading>
  return <OpenRoom room={room} />
}

function OpenRoom({ room }: { room: Room }) {
  const url = location.origin + paths.room(room.id)
  return (
    <Page
      title={room.name}
      aside={
        <div className="row">
          <ShareButton url={() => url} title={room.name} what="link" />
          <LeaveButton roomId={room.id} />
        </div>
      }
    >
      <p className="match-status room-status soft" data-testid="room-status">
        {ROOM_KINDS[room.kind].label} · {room.members.length} of {room.capacity}
        {room.visibility === 'private' && ' · private'}
      </p>
      <div className="room">
        <div className="stack room-stage">
          <RoomStage room={room} />
          <Members room={room} />
        </div>
        <ChatPanel roomId={room.id} />
      </div>
    </Page>
  )
}

function Members({ room }: { room: Room }) {
  const user = useUser()
  return (
    <section className="card stack" aria-labelledby="room-members">
      <h2 id="room-members">In this room</h2>
      <ul className="room-members" data-testid="room-members">
        {room.members.map(({ userId, username, displayName, connected }) => (
          <li key={userId} data-connected={connected}>
            <Avatar username={username} size={28} />
            <UserLink username={username} displayName={displayName} />
            {userId === user?.id && <span className="tag">you</span>}
            {userId === room.hostId && <span className="tag tag-accent">host</span>}
            {!connected && <span className="small soft">away</span>}
          </li>
        ))}
      </ul>
      {room.code !== null && (
        <p className="room-code">
          Code: <strong className="mono">{room.code}</strong> <CopyButton small text={room.code} what="code" />
        </p>
      )}
    </section>
  )
}

function LeaveButton({ roomId }: { roomId: string }) {
  const rally = useRally()
  const leave = useAction(async ({ offlineMs }) => {
    // Without the signal: the end of the stream may come before the answer, and removes this button.
    await rally.rooms.leave({ roomId }, { offlineMs })
    navigate(paths.rooms, { replace: true })
  })
  return (
    <>
      <Button small look="quiet" busy={leave.busy} onClick={() => leave.run()} data-testid="leave-room">
        <LeaveIcon />
        Leave
      </Button>
      <ErrorNotice error={leave.error} />
    </>
  )
}
