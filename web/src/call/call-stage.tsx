import { useEffect, useMemo, useState } from 'react'
import type { Room } from '../../../src/modules/rooms/types.ts'
import { useRally, useUser } from '../rally.ts'
import { useStore } from '../store.ts'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/notice.tsx'
import { Call, type Participant } from './call.ts'
import { CallControls } from './call-controls.tsx'
import { roomLine } from './room-line.ts'
import { Tile, Voice } from './tile.tsx'

/** The call of a room, which its members join one by one. */
export function CallStage({ room }: { room: Room }) {
  const rally = useRally()
  const userId = useUser()?.id
  const [call, setCall] = useState<Call | null>(null)
  const roomId = room.id
  // The room may be left, and the user may sign out.
  useEffect(() => () => call?.close(), [call])
  if (userId === undefined) return null
  const join = () => {
    const own = new Call(roomLine(rally, roomId, userId))
    setCall(own)
    void own.join()
  }
  if (call) return <Joined call={call} room={room} leave={() => setCall(null)} join={join} />
  return (
    <section className="card stack" aria-label="Call">
      <p>Your browser asks for your microphone and camera. You can turn them off before anybody sees or hears you.</p>
      <div>
        <Button look="primary" onClick={join} data-testid="call-join">
          Join the call
        </Button>
      </div>
    </section>
  )
}

interface JoinedProps {
  readonly call: Call
  readonly room: Room
  readonly leave: () => void
  readonly join: () => void
}

function Joined({ call, room, leave, join }: JoinedProps) {
  const user = useUser()
  const { status, participants } = useStore(call)
  const own = useStore(call.media)
  const members = room.members.map(({ userId }) => userId).join()
  useEffect(() => call.setMembers(members.split(',')), [call, members])
  const ownVideo = useStream(own.video)
  const ownScreen = useStream(own.screen)
  if (status === 'elsewhere' || status === 'failed') {
    return (
      <Notice look="warn">
        {status === 'elsewhere' ? 'You have joined a call in another tab. ' : 'The call could not be joined. '}
        <Button small onClick={join}>
          {status === 'elsewhere' ? 'Join here instead' : 'Try again'}
        </Button>
      </Notice>
    )
  }
  const here = participants.filter(({ isHere }) => isHere)
  const nameOf = (userId: string) => room.members.find((member) => member.userId === userId)
  return (
    <section className="stack call" aria-label="Call" data-testid="call" data-status={status}>
      <div className="call-tiles">
        {here.flatMap((participant) => {
          const member = nameOf(participant.userId)
          return member ? [<Other key={participant.userId} participant={participant} member={member} />] : []
        })}
        {ownScreen && user && (
          <Tile userId={user.id} username={user.username} name="Your screen" video={ownScreen} look="screen" />
        )}
        {user && (
          <Tile
            userId={user.id}
            username={user.username}
            name="You"
            video={ownVideo}
            look="own"
            isMuted={own.audio === null}
            note={status === 'joining' ? 'Asking for your devices…' : null}
          />
        )}
      </div>
      {status === 'on' && here.length === 0 && <p className="soft">Nobody else is in the call yet.</p>}
      <CallControls media={call.media} leave={leave} />
    </section>
  )
}

function Other({ participant, member }: { participant: Participant; member: Room['members'][number] }) {
  const { userId, streams, sending, state } = participant
  const { username, displayName } = member
  const screen = sending?.screen ? streams.screen : null
  return (
    <>
      {screen && (
        <Tile userId={userId} username={username} name={`Screen of ${displayName}`} video={screen} look="screen" />
      )}
      <Tile
        userId={userId}
        username={username}
        name={displayName}
        video={sending?.video ? streams.video : null}
        look="other"
        isMuted={sending !== null && !sending.audio}
        note={
          state === 'connected' ? null : state === 'new' || state === 'connecting' ? 'Connecting…' : 'Reconnecting…'
        }
      />
      {streams.audio && <Voice stream={streams.audio} />}
    </>
  )
}

function useStream(track: MediaStreamTrack | null): MediaStream | null {
  return useMemo(() => (track ? new MediaStream([track]) : null), [track])
}
