import { expect } from 'vitest'
import { roomService } from '../../src/modules/rooms/service.ts'
import { followRelay, roomOf } from '../rooms/support.ts'
import { newcomers } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'

// A state that came from another node after its sender had left stayed for all who came later.

const test = rallyTest()

test('a state that arrives after its sender has left is forgotten', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const { id: roomId } = await roomOf([ada, ben])
  await ada.client.call('rooms.leave', { roomId })
  const { bus, use } = rally.app.platform
  const head = JSON.stringify({ from: ada.player.id, kind: 'state', to: null })
  bus.publish(`rooms.node/${roomId}`, { seq: 0, payload: `R${head}\n{"x":1}` })
  expect((await followRelay(ben.client, roomId)).opening.snapshot).toMatchObject({ states: [{ payload: { x: 1 } }] })
  await use(roomService).compare()
  expect((await followRelay(ben.client, roomId)).opening.snapshot).toEqual({ states: [] })
})
