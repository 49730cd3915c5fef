import type { Config } from '../../config.ts'
import type { Sql } from '../../db/sql.ts'
import { type Connection, type Opened, RpcError } from '../../rpc/index.ts'
import { lockUser } from '../auth/index.ts'
import type { PageRequest } from '../pages.ts'
import { type Platform, service } from '../platform.ts'
import type { Scope } from '../scope.ts'
import type { UserId } from '../wire.ts'
import { directChannel, relayChannel, roomChannel } from './channels.ts'
import { iceServersFor } from './ice-servers.ts'
import { type LocalRoom, LocalRooms, notInRoom } from './local-rooms.ts'
import { hasSeat, MatchChat } from './match-chat.ts'
import { exportRooms, listRooms, readHistory } from './room-lists.ts'
import { claimKey, MAX_MISSED, openLog, SNAPSHOT_MESSAGES, say, trimLog } from './room-log.ts'
import { RoomPresence } from './room-presence.ts'
import type { Relayed } from './room-relay.ts'
import { isMember, matchOf, type RoomRow, readRooms, readWithLog, roomsOf, toRoom } from './room-row.ts'
import { enterRoom, leaveRooms, lockByKey, lockRooms, openRoom, type Place, settleRooms } from './room-writes.ts'
import {
  CAPACITIES,
  type ChatMessage,
  type Claim,
  type DirectFrame,
  type IceServer,
  MAX_RELAY_BYTES,
  MAX_SIGNAL_BYTES,
  MAX_SPECTATORS_IN_ROOM,
  type RelayFrame,
  type RelayKind,
  type Room,
  type RoomEvent,
  type RoomId,
  type RoomKey,
  type RoomKind,
  type RoomSnapshot,
} from './types.ts'

/** The node of who asks. Null over HTTP, where no socket can be in a room. */
interface Asker {
  readonly id: UserId
  readonly connection: Connection | null
}

interface Creation {
  readonly name: string
  readonly kind: RoomKind
  readonly capacity?: number | undefined
  readonly visibility?: 'public' | 'private' | undefined
}

/** Rooms: who is in them, what is said and claimed, and what members send each other. */
export class RoomService {
  readonly #platform: Platform
  readonly #local: LocalRooms
  readonly #presence: RoomPresence
  readonly #matchChat: MatchChat

  constructor(platform: Platform) {
    this.#platform = platform
    this.#local = new LocalRooms(platform, (roomId, userId) => this.#presence.update(roomId, userId))
    this.#presence = new RoomPresence(
      platform,
      (roomId, userId) => this.#local.isHere(roomId, userId),
      (scope, row) => this.announce(scope, row),
    )
    platform.lease.onRevived(() => {
      for (const { roomId, userId } of this.#local.places()) this.#presence.update(roomId, userId)
    })
    this.#matchChat = new MatchChat(platform, (scope, places) => this.#remove(scope, places))
  }

  async stop(): Promise<void> {
    await this.#presence.stop()
    this.#local.stop()
  }

  /** Opens a room and comes in. @throws RpcError VALIDATION_FAILED for a capacity that the kind has not, TOO_MANY_ROOMS */
  async create(scope: Scope, asker: Asker, { name, kind, capacity, visibility = 'public' }: Creation): Promise<Room> {
    const { usual, most } = CAPACITIES[kind]
    if (capacity !== undefined && capacity > most) {
      const issues = [{ path: 'capacity', message: `at most ${most} in a room of this kind` }]
      throw new RpcError('VALIDATION_FAILED', 'So many do not fit in', { issues })
    }
    await lockUser(scope.sql, asker.id)
    const roomId = await openRoom(scope.sql, { name, kind, visibility, capacity: capacity ?? usual })
    return this.#enter(scope, asker, roomId, true)
  }

  /**
   * Takes a place in a room. Who has one gets the room as it is.
   * @throws RpcError NOT_FOUND, ROOM_FULL, TOO_MANY_ROOMS; FORBIDDEN for the chat of a match that the user sees later
   */
  async join(scope: Scope, asker: Asker, key: RoomKey): Promise<Room> {
    const matchId = await matchOf(scope.sql, key)
    const match = matchId === null ? null : await this.#matchChat.find(scope, asker.id, matchId)
    if (matchId !== null && !match) throw notFound()
    await lockUser(scope.sql, asker.id)
    const roomId = await lockByKey(scope.sql, key, (match?.players.length ?? 0) + MAX_SPECTATORS_IN_ROOM)
    if (roomId === null) throw notFound()
    return this.#enter(scope, asker, roomId, match !== null && hasSeat(match, asker.id))
  }

  /** @throws RpcError NOT_IN_ROOM */
  async leave(scope: Scope, userId: UserId, roomId: RoomId): Promise<void> {
    await lockRooms(scope.sql, [roomId])
    const left = await leaveRooms(scope.sql, [{ roomId, userId }])
    if (left.length === 0) throw notInRoom()
    await this.#settle(scope, left)
  }

  /** Takes a user out of all rooms, as `leave` does. */
  async leaveAll(scope: Scope, userId: UserId): Promise<void> {
    const roomIds = await lockRooms(scope.sql, await roomsOf(scope.sql, userId))
    await this.#remove(
      scope,
      roomIds.map((roomId) => ({ roomId, userId })),
    )
  }

  /** Ends the memberships of locked rooms, and tells the others. */
  async #remove(scope: Scope, places: readonly Place[]): Promise<void> {
    await this.#settle(scope, await leaveRooms(scope.sql, places))
  }

  /** @throws RpcError NOT_IN_ROOM, for a banned user too */
  async chat(scope: Scope, userId: UserId, roomId: RoomId, text: string): Promise<ChatMessage> {
    const message = await say(scope.sql, roomId, userId, text)
    if (!message) throw notInRoom()
    this.#note(scope, roomId, message.seq, { kind: 'chat', ...message })
    return message
  }

  /** Claims a key, or answers who has it. @throws RpcError NOT_IN_ROOM, TOO_MANY_CLAIMS */
  async claim(scope: Scope, userId: UserId, roomId: RoomId, key: string): Promise<Claim & { isFirst: boolean }> {
    const { isMember, isKnown, holderId, seq } = await claimKey(scope.sql, roomId, key, userId)
    if (!isMember) throw notInRoom()
    if (!isKnown) throw new RpcError('TOO_MANY_CLAIMS', 'Nothing more can be claimed in this room')
    if (seq !== null) this.#note(scope, roomId, seq, { kind: 'claim', key, userId })
    return { key, userId: holderId, isFirst: seq !== null }
  }

  /** @throws RpcError NOT_IN_ROOM */
  async iceServers(userId: UserId, roomId: RoomId): Promise<IceServer[]> {
    const { config, database } = this.#platform
    if (!(await isMember(database.sql, roomId, userId))) throw notInRoom()
    return iceServersFor(userId, config, Date.now())
  }

  /**
   * Sends a message to one member or to all others: at once if this node knows that the sender is in the room, else when
   * that was read.
   * @throws RpcError NOT_IN_ROOM, NOT_FOUND when `to` is not there, VALIDATION_FAILED for a payload that is too long
   */
  send(
    asker: Asker,
    roomId: RoomId,
    message: { kind: RelayKind | 'signal'; payload: unknown; to?: UserId | undefined },
  ): void | Promise<void> {
    const { kind, payload, to = null } = message
    const json = encodePayload(payload, kind === 'signal' ? MAX_SIGNAL_BYTES : MAX_RELAY_BYTES)
    const relayed: Relayed = { from: asker.id, kind, to, json }
    const { connection } = asker
    if (!connection) throw notInRoom()
    const room = this.#local.of(roomId, asker.id)
    // Messages of a socket that is coming in keep their order.
    if (room && !room.entering.has(connection)) this.#send(room, relayed)
    else return this.#local.enter(connection, roomId, asker.id).then((entered) => this.#send(entered, relayed))
  }

  /** What `rooms.onRoom` opens with. @throws RpcError NOT_FOUND, NOT_IN_ROOM */
  async openRoom(
    { id, connection }: Asker,
    roomId: RoomId,
    since: number | undefined,
  ): Promise<Opened<RoomEvent, RoomSnapshot>> {
    const limits = { log: MAX_MISSED + 1, chat: SNAPSHOT_MESSAGES }
    const read = await readWithLog(this.#platform.database.sql, roomId, since, limits)
    if (!read || read.row.closedAt !== null) throw notFound()
    if (!read.row.members.some(({ userId }) => userId === id)) throw notInRoom()
    if (connection) this.#local.admit(connection, read.row, id)
    return { channel: roomChannel(roomId), seq: read.row.version, ...openLog(read, since) }
  }

  /** What `rooms.onRelay` opens with. @throws RpcError NOT_FOUND, NOT_IN_ROOM */
  async openRelay({ id, connection }: Asker, roomId: RoomId): Promise<Opened<RelayFrame, RelayFrame>> {
    if (!connection) throw notInRoom()
    const { relay } = await this.#local.enter(connection, roomId, id)
    const states = [...relay.states].map(({ from, kind, json }) => ({ from, kind, payload: JSON.parse(json) }))
    // Only states are kept, and ids of users come from their sessions.
    const snapshot = { states: states as RelayFrame['states'] }
    return { channel: relayChannel(roomId, this.#platform.node), seq: relay.seq, snapshot }
  }

  /** What `rooms.onDirect` opens with. @throws RpcError NOT_FOUND, NOT_IN_ROOM */
  async openDirect({ id, connection }: Asker, roomId: RoomId): Promise<Opened<DirectFrame, DirectFrame>> {
    if (!connection) throw notInRoom()
    const { relay } = await this.#local.enter(connection, roomId, id)
    const channel = directChannel(roomId, id, this.#platform.node)
    return { channel, seq: relay.directSeq(id), snapshot: { messages: [] } }
  }

  list(page: PageRequest, kind: RoomKind | undefined) {
    return listRooms(this.#platform.database.sql, page, kind)
  }

  history(page: PageRequest, userId: UserId) {
    return readHistory(this.#platform.database.sql, page, userId)
  }

  exportOf(userId: string, sql: Sql): Promise<unknown> {
    return exportRooms(sql, userId)
  }

  /** How many rooms have sockets of this node. */
  get localRooms(): number {
    return this.#local.size
  }

  get times(): Config['rooms'] {
    return this.#platform.config.rooms
  }

  /** Compares what this node knows of rooms with their rows. */
  compare(): Promise<void> {
    return this.#local.compare()
  }

  /** Tells the members of a room as it was just written, and all nodes, once that is committed. */
  announce(scope: Scope, row: RoomRow): void {
    scope.afterCommit(() => {
      this.#local.announce(row)
      this.#platform.hub.publish(roomChannel(row.id), row.version, { kind: 'room', room: toRoom(row) })
    })
  }

  #send(room: LocalRoom, message: Relayed): void {
    if (!room.members.has(message.from)) throw notInRoom()
    if (message.to !== null && !room.members.has(message.to)) {
      throw new RpcError('NOT_FOUND', 'This user is not in the room')
    }
    this.#local.send(room, message)
  }

  #note(scope: Scope, roomId: RoomId, seq: number, event: RoomEvent): void {
    trimLog(scope.sql, roomId, seq, this.#platform.config.rooms.chatMessages)
    scope.afterCommit(() => this.#platform.hub.publish(roomChannel(roomId), seq, event))
  }

  async #enter(scope: Scope, { id, connection }: Asker, roomId: RoomId, hasPlace: boolean): Promise<Room> {
    const { maxActive } = this.#platform.config.rooms
    const nodeId = connection ? this.#platform.node : null
    const isNew = await enterRoom(scope.sql, roomId, { userId: id, nodeId, maxActive, hasPlace })
    const [row] = isNew ? await settleRooms(scope.sql, [roomId]) : await readRooms(scope.sql, [roomId])
    if (!row) throw new Error('the room is gone although it was locked')
    if (isNew) this.announce(scope, row)
    scope.afterCommit(() => {
      if (connection && !connection.closed) this.#local.admit(connection, row, id)
      // The row says that a socket of this node is in the room.
      else if (connection) this.#presence.update(roomId, id)
    })
    return toRoom(row)
  }

  async #settle(scope: Scope, roomIds: readonly string[]): Promise<void> {
    for (const row of await settleRooms(scope.sql, roomIds)) this.announce(scope, row)
  }
}

export const roomService = service('rooms', (platform) => new RoomService(platform))

function encodePayload(payload: unknown, maxBytes: number): string {
  const json = JSON.stringify(payload ?? null)
  if (Buffer.byteLength(json) <= maxBytes) return json
  const issues = [{ path: 'payload', message: `at most ${maxBytes} bytes as JSON` }]
  throw new RpcError('VALIDATION_FAILED', 'The payload is too long', { issues })
}

function notFound(): RpcError {
  return new RpcError('NOT_FOUND', 'There is no such room')
}
