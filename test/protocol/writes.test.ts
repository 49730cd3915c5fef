import { expect, test } from 'vitest'
import { connect } from '../support/client.ts'
import { startRig } from '../support/rig.ts'

test('a write retried with its eid has one effect and one answer: on the same socket, on another, and after a reconnect', async () => {
  await using rig = await startRig()
  const cookie = await rig.cookieOf('ada')
  await using client = await connect(rig.url, { cookie })
  const first = await client.request('t.count', {}, { eid: 'once' })
  expect(first.data).toEqual({ count: 1 })
  expect((await client.request('t.count', {}, { eid: 'once' })).data).toEqual({ count: 1 })
  await client.close()
  await using again = await connect(rig.url, { cookie })
  expect((await again.request('t.count', {}, { eid: 'once' })).data).toEqual({ count: 1 })
  expect(rig.world.count).toBe(1)
  expect(await again.call('t.count')).toEqual({ count: 2 })
})

test('retries at the same time have one effect and one answer', async () => {
  await using rig = await startRig()
  const cookie = await rig.cookieOf('ada')
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(rig.url, { cookie })))
  const asked = clients.flatMap((client) =>
    Array.from({ length: 5 }, () => client.request('t.count', {}, { eid: 'same' })),
  )
  const answers = await Promise.all(asked)
  expect(new Set(answers.map(({ data }) => JSON.stringify(data)))).toEqual(new Set(['{"count":1}']))
  expect(rig.world.count).toBe(1)
  await Promise.all(clients.map((client) => client.close()))
})

test('a retry gets the declared error of the first try', async () => {
  await using rig = await startRig()
  await using client = await connect(rig.url, { cookie: await rig.cookieOf('ada') })
  const first = await client.request('t.count', { fail: true }, { eid: 'no' })
  expect(first).toMatchObject({ error: 'NOT_FOUND', data: { message: 'there is no 1' } })
  expect(await client.request('t.count', { fail: true }, { eid: 'no' })).toMatchObject({
    error: 'NOT_FOUND',
    data: { message: 'there is no 1' },
  })
  expect(rig.world.count).toBe(1)
})

test('the same eid of two users is two writes', async () => {
  await using rig = await startRig()
  await using ada = await connect(rig.url, { cookie: await rig.cookieOf('ada') })
  await using bob = await connect(rig.url, { cookie: await rig.cookieOf('bob') })
  await ada.request('t.count', {}, { eid: 'x' })
  expect((await bob.request('t.count', {}, { eid: 'x' })).data).toEqual({ count: 2 })
})

test('a write without a user is remembered with its socket', async () => {
  await using rig = await startRig()
  await using client = await connect(rig.url)
  const asked = Array.from({ length: 5 }, () => client.request('t.countAnonymously', {}, { eid: 'x' }))
  for (const { data } of await Promise.all(asked)) expect(data).toEqual({ count: 1 })
  await using other = await connect(rig.url)
  expect((await other.request('t.countAnonymously', {}, { eid: 'x' })).data).toEqual({ count: 2 })
})
