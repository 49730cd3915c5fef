import { inspect } from 'node:util'
import { expect } from 'vitest'
import { test } from '../client/support.ts'

test("converting a client's modules to text or JSON, logging and awaiting them sends nothing to the server", async ({
  server,
  rally,
}) => {
  const { things } = rally
  expect(`${things}`).toBe('[rally.things]')
  expect(JSON.stringify({ things })).toBe('{"things":{}}')
  expect(inspect(things)).toContain('toString')
  expect(await things).toBe(things)
  expect(things).toEqual(things)
  expect(typeof things.valueOf()).toBe('object')
  expect(`${rally}`).toBe('[object Object]')
  expect(await rally).toBe(rally)

  server.on('things.list', () => ({ data: { items: [] } }))
  await rally.things.list()
  const socket = await server.nextSocket()
  expect([...socket.inboxes.keys()].toSorted()).toEqual(['rpc.ping', 'things.list'])
})
