import type { DirectFrame, RelayFrame, Room, RoomEvent, RoomSnapshot } from '../../src/modules/rooms/types.ts'
import type { TestClient } from '../support/client.ts'
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
