import type { Room } from '../../../../src/modules/rooms/types.ts'
import { later } from '../../ui/error-boundaries.tsx'

const CallStage = later(() => import('../../call/call-stage.tsx').then(({ CallStage }) => CallStage), 'Loading…')
const CoopStage = later(() => import('../../coop/coop-stage.tsx').then(({ CoopStage }) => CoopStage), 'Loading…')

/** What fills the room page beside members and chat: by the kind of the room. */
export function RoomStage({ room }: { room: Room }) {
  switch (room.kind) {
    case 'call':
      return <CallStage key={room.id} room={room} />
    case 'coop':
      return <CoopStage key={room.id} room={room} />
    case 'chat':
      return null
  }
}
