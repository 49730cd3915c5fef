import type { rooms as module } from '../../src/modules/rooms/index.ts'
import { type AccessCase, type AccessOf, everybody, type World } from './cases.ts'

/** A new room of the owner. Earlier ones are deleted, because a user may be in only a few. */
async function room({ owner, rally }: World): Promise<{ roomId: string }> {
  await rally.app.platform.database.db.room.deleteMany()
  const { id } = await owner.client.call<{ id: string }>('rooms.create', { name: 'access', kind: 'coop' })
  return { roomId: id }
}

/** What is for members alone. */
const forMembers = (more: (world: World) => object = () => ({})): AccessCase => ({
  input: async (world) => ({ ...(await room(world)), ...more(world) }),
  other: 'NOT_IN_ROOM',
})

export const rooms: AccessOf<typeof module> = {
  create: { ...everybody, input: () => ({ name: 'access', kind: 'chat' }) },
  join: { ...everybody, input: room },
  leave: forMembers(),
  list: everybody,
  history: everybody,
  chat: forMembers(() => ({ text: 'hello' })),
  claim: forMembers(() => ({ key: 'coin' })),
  relay: forMembers(() => ({ kind: 'state', payload: 1 })),
  signal: forMembers(({ owner }) => ({ to: owner.player.id, payload: 1 })),
  iceServers: forMembers(),
  onRoom: forMembers(),
  onRelay: forMembers(),
  onDirect: forMembers(),
}
