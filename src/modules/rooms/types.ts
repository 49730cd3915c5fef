import { z } from 'zod'
import { JoinCode, Visibility } from '../matches/types.ts'
import { lines, oneLine } from '../shown-text.ts'
import { MatchId, Timestamp, UserId } from '../wire.ts'

export const RoomId = z.string().min(1).max(40).brand<'RoomId'>()
export type RoomId = z.infer<typeof RoomId>

export const RoomKind = z.enum(['coop', 'call', 'chat'])
export type RoomKind = z.infer<typeof RoomKind>

/** How many users fit into a room: unless the creator says so, and at most. */
export const CAPACITIES = {
  coop: { usual: 8, most: 16 },
  call: { usual: 4, most: 8 },
  chat: { usual: 50, most: 100 },
} as const satisfies Record<RoomKind, { usual: number; most: number }>

/** Users in the room of a match, besides its players. */
export const MAX_SPECTATORS_IN_ROOM = 50

export const RoomMember = z.object({
  userId: UserId,
  username: z.string(),
  displayName: z.string(),
  /** Without a socket in the room the member keeps the place for `ROOM_COME_BACK_MS`. */
  connected: z.boolean(),
  joinedAt: Timestamp,
})
export type RoomMember = z.infer<typeof RoomMember>

export const Room = z.object({
  id: RoomId,
  name: z.string(),
  kind: RoomKind,
  visibility: Visibility,
  /** Null for the room of a match, and once the room is closed. */
  code: z.string().nullable(),
  capacity: z.number().int(),
  /** Null while nobody is in the room. */
  hostId: UserId.nullable(),
  /** Who is in the room, the longest first. */
  members: z.array(RoomMember),
  /** The `seq` of `rooms.onRoom`. */
  version: z.number().int(),
  createdAt: Timestamp,
  /** The match whose chat this is. */
  matchId: MatchId.optional(),
})
export type Room = z.infer<typeof Room>

/** A public room as those see it who are not in it. */
export const ListedRoom = Room.pick({ id: true, name: true, kind: true, capacity: true, createdAt: true }).extend({
  memberCount: z.number().int(),
})
export type ListedRoom = z.infer<typeof ListedRoom>

/** The room's name as it is shown in lists. */
export const RoomName = oneLine(1, 60)
export const ChatText = lines(1, 500)

export const ChatMessage = z.object({
  /** Its number in the log of the room. */
  seq: z.number().int(),
  userId: UserId,
  username: z.string(),
  displayName: z.string(),
  text: z.string(),
  at: Timestamp,
})
export type ChatMessage = z.infer<typeof ChatMessage>

/** What can be claimed in a room, such as the name of an item. It is kept as it is. */
export const ClaimKey = z
  .string()
  .min(1)
  .max(40)
  .refine((key) => /^\P{C}+$/u.test(key), 'only visible characters')
/** Keys that can be claimed in one room. */
export const MAX_CLAIMS = 500

/** Who claimed a key first; null when that account was deleted. */
export const Claim = z.object({ key: z.string(), userId: UserId.nullable() })
export type Claim = z.infer<typeof Claim>

/** What happens in a room: its members or its host changed, somebody wrote, somebody claimed a key. */
export const RoomEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('room'), room: Room }),
  ChatMessage.extend({ kind: z.literal('chat') }),
  z.object({ kind: z.literal('claim'), key: z.string(), userId: UserId }),
])
export type RoomEvent = z.infer<typeof RoomEvent>

/** A room with its newest messages, oldest first, and all that is claimed. */
export const RoomSnapshot = z.object({ room: Room, chat: z.array(ChatMessage), claims: z.array(Claim) })
export type RoomSnapshot = z.infer<typeof RoomSnapshot>

/**
 * What members send each other. `state` and `entities` are `latest`: of one sender only the newest of each kind counts.
 * `action` is `reliable`: each one arrives, in order.
 */
export const RelayKind = z.enum(['state', 'entities', 'action'])
export type RelayKind = z.infer<typeof RelayKind>
export const RELAY_CLASS = {
  state: 'latest',
  entities: 'latest',
  action: 'reliable',
} as const satisfies Record<RelayKind, 'latest' | 'reliable'>

/** The most that a payload may have as JSON, in bytes. */
export const MAX_RELAY_BYTES = 4 * 1024
export const MAX_SIGNAL_BYTES = 16 * 1024

/** Frames of relayed messages that a reader gets in a second, at most. */
export const RELAY_HZ = 20

export const RelayedState = z.object({
  from: UserId,
  kind: z.enum(['state', 'entities']),
  payload: z.unknown(),
})
export type RelayedState = z.infer<typeof RelayedState>

/** What changed since the last frame, the reader's own too. The snapshot has the newest of all members. */
export const RelayFrame = z.object({ states: z.array(RelayedState) })
export type RelayFrame = z.infer<typeof RelayFrame>

/** What came for the reader since the last frame, in order. `toAll`: the other members got it too. */
export const DirectFrame = z.object({
  messages: z.array(
    z.object({
      kind: z.enum(['signal', 'action', 'state', 'entities']),
      from: UserId,
      toAll: z.boolean(),
      payload: z.unknown(),
    }),
  ),
})
export type DirectFrame = z.infer<typeof DirectFrame>

/** A STUN or TURN server as `RTCPeerConnection` takes it. */
export const IceServer = z.object({
  urls: z.array(z.string()),
  username: z.string().optional(),
  credential: z.string().optional(),
})
export type IceServer = z.infer<typeof IceServer>

/** A room that a user was in. Times are in ms; a room or a visit that is not over counts until now. */
export const PastRoom = z.object({
  id: RoomId,
  name: z.string(),
  kind: RoomKind,
  matchId: MatchId.optional(),
  createdAt: Timestamp,
  closedAt: Timestamp.nullable(),
  durationMs: z.number().int(),
  participants: z.array(
    z.object({
      userId: UserId,
      username: z.string(),
      displayName: z.string(),
      joinedAt: Timestamp,
      leftAt: Timestamp.nullable(),
      durationMs: z.number().int(),
    }),
  ),
})
export type PastRoom = z.infer<typeof PastRoom>

/** How a room is found: by its id, by its code, or as the chat of a match. */
export const RoomKey = z.union([
  z.object({ roomId: RoomId }),
  z.object({ code: JoinCode }),
  z.object({ matchId: MatchId }),
])
export type RoomKey = z.infer<typeof RoomKey>
