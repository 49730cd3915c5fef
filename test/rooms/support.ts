import type { Config } from '../../src/config.ts'
import type { DirectFrame, RelayFrame, Room, RoomEvent, RoomSnapshot } from '../../src/modules/rooms/types.ts'
import type { Stream, TestClient } from '../support/client.ts'
import type { Newcomer } from '../support/newcomers.ts'

export const createRoom = (client: TestClient, data: object = {}) =>
  client.call<Room>('rooms.create', { name: 'Test', kind: 'coop', ...data })

export const joinRoom = (client: TestClient, key: object) => client.call<Room>('rooms.join', key)

export const follow = (client: TestClient, roomId: string, since?: number) =>
  client.subscribe<RoomSnapshot, RoomEvent>('rooms.onRoom', since === undefined ? { roomId } : { roomId, since })

export const followRelay = (client: TestClient, roomId: string) =>
  client.subscribe<RelayFrame, RelayFrame>('rooms.onRelay', { roomId })

export const followDirect = (client: TestClient, roomId: string) =>
  client.subscribe<DirectFrame, DirectFrame>('rooms.onDirect', { roomId })

/** A room of the first one, in which all are. */
export async function roomOf([host, ...guests]: readonly [Newcomer, ...Newcomer[]], data: object = {}): Promise<Room> {
  let room = await createRoom(host.client, data)
  for (const { client } of guests) room = await joinRoom(client, { code: room.code })
  return room
}

let inputs = 0

/** Sends an input, which is answered only when it is refused: by a frame of this `eid` in the inbox. */
export function input(client: TestClient, type: 'rooms.relay' | 'rooms.signal', data: object): string {
  const eid = `input-${++inputs}`
  client.send(JSON.stringify({ type, data, eid, ts: Date.now() }))
  return eid
}

/** The settings of rooms for tests: a place is kept for so long. */
export const roomTimes = (times: Partial<Config['rooms']> = {}): Config['rooms'] => ({
  comeBackMs: 30_000,
  emptyMs: 60_000,
  maxActive: 20,
  chatMessages: 500,
  chatDays: 30,
  historyDays: 90,
  ...times,
})

/** The next event of a stream that is a change of the room and looks like this. */
export async function roomEvent(
  { events }: Stream<RoomSnapshot, RoomEvent>,
  isSo: (room: Room) => boolean,
): Promise<Room> {
  for (;;) {
    const { data } = await events.next()
    if (data.kind === 'room' && isSo(data.room)) return data.room
  }
}
