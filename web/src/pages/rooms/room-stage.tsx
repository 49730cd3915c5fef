import type { Room } from '../../../../src/modules/rooms/types.ts'

/** What fills the room page beside members and chat: by the kind of the room. */
export function RoomStage({ room }: { room: Room }) {
  switch (room.kind) {
    case 'call':
    case 'coop':
    case 'chat':
      return null
  }
}
