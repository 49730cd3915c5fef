import { type Channel, channel } from '../../rpc/index.ts'
import { type DirectFrame, RELAY_HZ, type RelayFrame, type RoomEvent } from './types.ts'

/** About what the frames of a second may have together. */
const RELAY_BYTES = 64 * 1024

/** The log of a room, on all nodes. */
export const roomChannel = (roomId: string): Channel<RoomEvent> => channel('rooms.onRoom', roomId)

/**
 * What members relay to all. Each node puts the frames for its own sockets together, so the channel names the node. A frame
 * has only what changed, so who missed one reads all of it again.
 */
export const relayChannel = (roomId: string, node: string): Channel<RelayFrame> =>
  channel('rooms.onRelay', `${roomId}/${node}`, {
    incremental: true,
    cost: { frames: RELAY_HZ, bytes: RELAY_BYTES },
  })

/** What comes for one member, of the sockets of one node. */
export const directChannel = (roomId: string, userId: string, node: string): Channel<DirectFrame> =>
  channel('rooms.onDirect', `${roomId}/${userId}/${node}`)
