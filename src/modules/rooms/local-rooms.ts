import { z } from 'zod'
import { batched } from '../../db/batched-lookup.ts'
import { type Connection, RpcError } from '../../rpc/index.ts'
import type { Platform } from '../platform.ts'
import { directChannel, relayChannel, roomChannel } from './channels.ts'
import { type Relayed, RoomRelay } from './room-relay.ts'
import { type RoomRow, readRooms } from './room-row.ts'
import type { RoomId } from './types.ts'

/** What nodes tell each other about one room. */
const topicOf = (roomId: string) => `rooms.node/${roomId}`
/** The members have changed: everything after it is a `Members`. */
const MEMBERS = 'M'
/** A node begins to serve the room, and asks for the states of the members at other nodes. */
const HELLO = 'H'
/** A message: its head as a `Head`, a line feed, its payload. */
const RELAYED = 'R'

const Members = z.object({ version: z.number(), members: z.array(z.string()) })
const Head = z.object({
  from: z.string(),
  kind: z.enum(['state', 'entities', 'action', 'signal']),
  to: z.string().nullable(),
})

/** A room with sockets of this node. */
export class LocalRoom {
  readonly id: RoomId
  readonly relay: RoomRelay
  /** The members with sockets in this room here. */
  readonly sockets = new Map<string, Set<Connection>>()
  /** The ids of all members, as of `version`. */
  members: ReadonlySet<string> = new Set()
  version = 0
  /** Sockets that are about to come in. */
  readonly entering = new Map<Connection, Promise<void>>()
  ready: Promise<void> = Promise.resolve()
  unsubscribe: () => void = () => undefined

  constructor(id: RoomId, { hub, node }: Pick<Platform, 'hub' | 'node'>) {
    this.id = id
    this.relay = new RoomRelay(hub, id, node, this.sockets)
  }
}

/**
 * The rooms that sockets of this node are in, and who is in them. So a message between members costs no query: membership is
 * read from the rows when a socket comes in, and other nodes tell when it changes. A message that is lost is made up for
 * when rooms are compared with their rows.
 */
export class LocalRooms {
  readonly #platform: Platform
  readonly #rooms = new Map<string, LocalRoom>()
  readonly #ofSocket = new Map<Connection, Set<LocalRoom>>()
  readonly #read: (roomId: string) => Promise<RoomRow | undefined>
  readonly #onPresence: (roomId: string, userId: string) => void
  #isTelling = false

  /** @param onPresence is called when the first socket of a member comes into a room, and when the last one is gone. */
  constructor(platform: Platform, onPresence: (roomId: string, userId: string) => void) {
    const { sql } = platform.database
    this.#platform = platform
    this.#onPresence = onPresence
    this.#read = batched(async (ids) => new Map((await readRooms(sql, ids)).map((row) => [row.id, row])))
    platform.connections.onClose((connection) => {
      for (const room of this.#ofSocket.get(connection) ?? []) this.#remove(room, connection)
    })
  }

  get size(): number {
    return this.#rooms.size
  }

  /** All members with sockets here. */
  *places(): Iterable<{ roomId: string; userId: string }> {
    for (const room of this.#rooms.values()) for (const userId of room.sockets.keys()) yield { roomId: room.id, userId }
  }

  /** Whether the user has a socket in the room here. */
  isHere(roomId: string, userId: string): boolean {
    return this.#rooms.get(roomId)?.sockets.has(userId) ?? false
  }

  /** The room, if this node serves it and the user is a member. */
  of(roomId: string, userId: string): LocalRoom | null {
    const room = this.#rooms.get(roomId)
    return room?.members.has(userId) ? room : null
  }

  /** Brings the socket of a member into a room as it was just read. */
  admit(connection: Connection, row: RoomRow, userId: string): LocalRoom {
    const room = this.#rooms.get(row.id) ?? this.#create(row.id)
    this.#apply(room, row.version, membersOf(row))
    if (room.members.has(userId)) this.#add(room, connection, userId)
    this.#collect(room)
    return room
  }

  /**
   * Brings a socket into a room, so that from now on nothing that is published there is missed.
   * @throws RpcError NOT_FOUND, NOT_IN_ROOM, UNAVAILABLE when other nodes cannot be reached
   */
  async enter(connection: Connection, roomId: RoomId, userId: string): Promise<LocalRoom> {
    const room = this.#rooms.get(roomId) ?? this.#create(roomId)
    const entering = room.entering.get(connection) ?? this.#enter(room, connection, userId)
    room.entering.set(connection, entering)
    try {
      await entering
      return room
    } finally {
      room.entering.delete(connection)
      this.#collect(room)
    }
  }

  /** Gives a message to its readers on all nodes. */
  send(room: LocalRoom, message: Relayed): void {
    room.relay.take(message)
    this.#tell(room.id, encode(message))
  }

  /** Tells all nodes who is in a room, once that is committed. Ends the streams of those who are not. */
  announce(row: RoomRow): void {
    const room = this.#rooms.get(row.id)
    const members = membersOf(row)
    if (room) this.#apply(room, row.version, members)
    this.#tell(row.id, `${MEMBERS}${JSON.stringify({ version: row.version, members })}`)
  }

  /** Compares all rooms with their rows. */
  async compare(): Promise<void> {
    await Promise.all([...this.#rooms.values()].map((room) => this.#refresh(room)))
  }

  stop(): void {
    for (const room of this.#rooms.values()) this.#drop(room)
  }

  async #enter(room: LocalRoom, connection: Connection, userId: string): Promise<void> {
    const { ready } = room
    await ready.catch(() => {
      // The next one who comes in finds it listening again. Its sockets stay.
      if (room.ready === ready) this.#listen(room)
      throw new RpcError('UNAVAILABLE', 'Other nodes cannot be reached; try again', { retryAfterMs: 1000 })
    })
    const row = await this.#read(room.id)
    if (!row || row.closedAt !== null) throw new RpcError('NOT_FOUND', 'There is no such room')
    this.#apply(room, row.version, membersOf(row))
    if (!room.members.has(userId)) throw notInRoom()
    this.#add(room, connection, userId)
  }

  #create(roomId: RoomId): LocalRoom {
    const room = new LocalRoom(roomId, this.#platform)
    this.#rooms.set(roomId, room)
    this.#listen(room)
    return room
  }

  /** Listens to what other nodes tell of the room, and asks them for what they know of it. */
  #listen(room: LocalRoom): void {
    const { bus, log } = this.#platform
    const { id: roomId } = room
    room.unsubscribe()
    const refresh = () => {
      this.#refresh(room).catch((err: unknown) => log.of('rooms').warn({ err, roomId }, 'a room could not be read'))
    }
    const subscription = bus.subscribe(topicOf(roomId), ({ payload }) => this.#receive(room, String(payload)), refresh)
    room.unsubscribe = () => subscription.unsubscribe()
    room.ready = subscription.ready
    room.ready.then(
      () => {
        if (bus.nodes().length === 0) return
        this.#tell(roomId, HELLO)
        refresh()
      },
      () => undefined,
    )
  }

  async #refresh(room: LocalRoom): Promise<void> {
    const row = await this.#read(room.id)
    if (row) this.#apply(room, row.version, membersOf(row))
    else this.#apply(room, Number.MAX_SAFE_INTEGER, [])
    // A state may come from another node after its sender has left.
    room.relay.keep(room.members)
  }

  #apply(room: LocalRoom, version: number, members: readonly string[]): void {
    if (version <= room.version) return
    const before = room.members
    room.version = version
    room.members = new Set(members)
    for (const userId of before) if (!room.members.has(userId)) this.#revoke(room, userId)
    room.relay.keep(room.members)
  }

  #revoke(room: LocalRoom, userId: string): void {
    const { hub, node } = this.#platform
    for (const connection of [...(room.sockets.get(userId) ?? [])]) {
      const channels = [roomChannel(room.id), relayChannel(room.id, node), directChannel(room.id, userId, node)]
      for (const channel of channels) hub.endFor(connection, channel, 'left')
      this.#remove(room, connection)
    }
  }

  #add(room: LocalRoom, connection: Connection, userId: string): void {
    if (connection.closed) return
    const sockets = room.sockets.get(userId)
    if (sockets) sockets.add(connection)
    else {
      room.sockets.set(userId, new Set([connection]))
      this.#onPresence(room.id, userId)
    }
    const rooms = this.#ofSocket.get(connection)
    if (rooms) rooms.add(room)
    else this.#ofSocket.set(connection, new Set([room]))
  }

  #remove(room: LocalRoom, connection: Connection): void {
    const rooms = this.#ofSocket.get(connection)
    rooms?.delete(room)
    if (rooms?.size === 0) this.#ofSocket.delete(connection)
    const userId = connection.caller.user?.id
    const sockets = userId === undefined ? undefined : room.sockets.get(userId)
    if (userId === undefined || !sockets?.delete(connection) || sockets.size > 0) return
    room.sockets.delete(userId)
    this.#onPresence(room.id, userId)
    this.#collect(room)
  }

  #collect(room: LocalRoom): void {
    if (room.sockets.size === 0 && room.entering.size === 0) this.#drop(room)
  }

  #drop(room: LocalRoom): void {
    room.unsubscribe()
    room.relay.stop()
    if (this.#rooms.get(room.id) === room) this.#rooms.delete(room.id)
  }

  #receive(room: LocalRoom, payload: string): void {
    // What this node tells reaches its own listeners before `publish` returns.
    if (this.#isTelling) return
    const body = payload.slice(1)
    if (payload.startsWith(RELAYED)) {
      const end = body.indexOf('\n')
      const head = Head.parse(JSON.parse(body.slice(0, end)))
      room.relay.take({ ...head, json: body.slice(end + 1) })
    } else if (payload.startsWith(MEMBERS)) {
      const { version, members } = Members.parse(JSON.parse(body))
      this.#apply(room, version, members)
    } else {
      for (const state of room.relay.states) if (room.sockets.has(state.from)) this.#tell(room.id, encode(state))
    }
  }

  #tell(roomId: string, payload: string): void {
    const { bus } = this.#platform
    if (bus.nodes().length === 0) return
    this.#isTelling = true
    try {
      bus.publish(topicOf(roomId), { seq: 0, payload })
    } finally {
      this.#isTelling = false
    }
  }
}

function encode({ json, ...head }: Relayed): string {
  return `${RELAYED}${JSON.stringify(head)}\n${json}`
}

function membersOf(row: RoomRow): string[] {
  return row.closedAt === null ? row.members.map(({ userId }) => userId) : []
}

export function notInRoom(): RpcError {
  return new RpcError('NOT_IN_ROOM', 'You are not in this room')
}
