import { useEffect, useMemo, useState } from 'react'
import type { Room } from '../../../src/modules/rooms/types.ts'
import { useRally, useUser } from '../rally.ts'
import { useStore } from '../store.ts'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/notice.tsx'
import { Call, type Participant } from './call.ts'
import { CallControls } from './call-controls.tsx'
import type { Devices } from './own-media.ts'
import { roomLine } from './room-line.ts'
import { Tile, Voice } from './tile.tsx'

/** Two browsers that can reach each other have found a way by then. */
const NO_WAY_MS = 15_000

/** The call of a room, which its members join one by one. */
export function CallStage({ room }: { room: Room }) {
  const rally = useRally()
  const userId = useUser()?.id
  const [call, setCall] = useState<Call | null>(null)
  const [devices, setDevices] = useState<Devices>({ audio: true, video: true })
  const roomId = room.id
  // The room may be left, and the user may sign out.
  useEffect(() => () => call?.close(), [call])
  if (userId === undefined) return null
  const join = () => {
    const own = new Call(roomLine(rally, roomId, userId))
    setCall(own)
    void own.join(devices)
  }
  if (call) return <Joined call={call} room={room} leave={() => setCall(null)} join={join} />
  return (
    <section className="card stack" aria-label="Call">
      <fieldset className="row call-devices">
        <legend>Join with</legend>
        {(['audio', 'video'] as const).map((source) => (
          <label key={source} className="row">
            <input
              type="checkbox"
              checked={devices[source]}
              onChange={({ target }) => setDevices({ ...devices, [source]: target.checked })}
              data-testid={`call-with-${source}`}
            />
            {source === 'audio' ? 'Microphone' : 'Camera'}
          </label>
        ))}
      </fieldset>
      <p className="soft small">Your browser asks for what you choose. In the call you can turn both on and off.</p>
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
  const isCutOff = useLasting(state !== 'connected', NO_WAY_MS)
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
        note={sayState(state, isCutOff)}
      />
      {streams.audio && <Voice stream={streams.audio} />}
    </>
  )
}

function sayState(state: RTCPeerConnectionState, isCutOff: boolean): string | null {
  if (state === 'connected') return null
  if (isCutOff) return 'No connection; this server may lack a TURN server'
  return state === 'new' || state === 'connecting' ? 'Connecting…' : 'Reconnecting…'
}

/** Whether something has been so for this long without a break. */
function useLasting(isSo: boolean, forMs: number): boolean {
  const [hasLasted, setLasted] = useState(false)
  useEffect(() => {
    if (!isSo) return
    const timer = setTimeout(() => setLasted(true), forMs)
    return () => {
      clearTimeout(timer)
      setLasted(false)
    }
  }, [isSo, forMs])
  return isSo && hasLasted
}

function useStream(track: MediaStreamTrack | null): MediaStream | null {
  return useMemo(() => (track ? new MediaStream([track]) : null), [track])
}
