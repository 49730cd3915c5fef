import { expect } from 'vitest'
import { newcomers, openSocket } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'

const test = rallyTest()

test('a value keeps its JSON, and its version grows by one with each put', async ({ rally }) => {
  const [ada] = await newcomers(rally, 1)
  const put = (data: object) => ada.client.call('storage.put', { key: 'saves/1', ...data })
  const value = { level: 3, name: 'Ada ✨', list: [1, null, { deep: 0.5 }], empty: '' }
  const bytes = Buffer.byteLength(JSON.stringify(value))
  expect(await put({ value })).toMatchObject({ key: 'saves/1', version: 1, visibility: 'private', bytes })
  expect(await ada.client.call('storage.get', { key: 'saves/1' })).toMatchObject({ value, version: 1, bytes })
  expect(await put({ value: 'x', version: 1, visibility: 'public' })).toMatchObject({
    version: 2,
    visibility: 'public',
  })
  expect(await put({ value: false })).toMatchObject({ version: 3, visibility: 'public', bytes: 5 })
  const failure = await ada.client.request('storage.put', { key: 'saves/1', value: 0, version: 1 })
  expect(failure).toMatchObject({ error: 'VERSION_CHANGED', data: { issues: [{ path: 'version', message: '3' }] } })
  await expect(put({ value: 0, version: 0 })).rejects.toMatchObject({ code: 'VERSION_CHANGED' })
  await expect(put({ key: 'new', value: 0, version: 1 })).rejects.toMatchObject({ code: 'VERSION_CHANGED' })
  expect(await put({ key: 'new', value: null, version: 0 })).toMatchObject({ version: 1 })
  for (const bad of [{}, { value: 1, key: '' }, { value: 1, key: 'a\u0000' }, { value: 1, key: 'x'.repeat(129) }])
    await expect(put(bad)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
})

test('others read public values only, and nobody but their user writes or lists them', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const anonymous = await openSocket(rally)
  await ada.client.call('storage.put', { key: 'open', value: 1, visibility: 'public' })
  await ada.client.call('storage.put', { key: 'secret', value: 2 })
  for (const { client } of [ben, { client: anonymous }]) {
    const get = (key: string) => client.call('storage.get', { key, username: ada.player.username })
    expect(await get('open')).toMatchObject({ value: 1 })
    await expect(get('secret')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  }
  expect(await ada.client.call('storage.get', { key: 'secret', username: ada.player.username })).toMatchObject({
    value: 2,
  })
  await expect(ben.client.call('storage.get', { key: 'open' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(ben.client.call('storage.remove', { key: 'open' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await ben.client.call('storage.list', {})).toEqual({ items: [] })
  const writes = [
    ['get', {}],
    ['put', { value: 1 }],
    ['remove', {}],
    ['list', {}],
  ] as const
  for (const [name, data] of writes)
    await expect(anonymous.call(`storage.${name}`, { key: 'open', ...data })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    })
})

test('a value has at most 64 KiB of JSON, and a user 1,000 keys, however many come at once', async ({
  rally,
  database: { db },
}) => {
  const [ada] = await newcomers(rally, 1)
  const userId = ada.player.id
  const put = (key: string, value: unknown) => ada.client.call('storage.put', { key, value })
  await expect(put('wide', 'é'.repeat(32_600))).resolves.toMatchObject({ bytes: 65_202 })
  const rows = Array.from({ length: 996 }, (_, n) => ({ userId, key: `key-${n}`, value: '1', bytes: 1 }))
  await db.storedValue.createMany({ data: rows })
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => put(`more-${n}`, n)))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'TOO_MANY_KEYS' })
  expect(await db.storedValue.count({ where: { userId } })).toBe(1_000)
  await put('wide', 1)
  await ada.client.call('storage.remove', { key: 'wide' })
  await put('instead', 1)
  await db.user.delete({ where: { id: userId } })
  expect(await db.storedValue.count({ where: { userId } })).toBe(0)
})

test('the values of a user have at most 8 MiB together, and a smaller value makes room', async ({
  rally,
  database: { db },
}) => {
  const [ada] = await newcomers(rally, 1)
  const put = (key: string, value: unknown) => ada.client.call('storage.put', { key, value })
  const full = 8 * 1024 * 1024
  await db.storedValue.create({ data: { userId: ada.player.id, key: 'rest', value: '1', bytes: full - 100 } })
  await put('a', 'x'.repeat(98))
  await expect(put('b', 1)).rejects.toMatchObject({ code: 'STORAGE_FULL' })
  await expect(put('a', 'x'.repeat(99))).rejects.toMatchObject({ code: 'STORAGE_FULL' })
  await put('a', 'x'.repeat(97))
  await put('b', 1)
  await ada.client.call('storage.remove', { key: 'rest' })
  await put('c', 'x'.repeat(60_000))
})

test('of many writers of one version one wins, and no write of another is lost', async ({ rally }) => {
  const [ada] = await newcomers(rally, 1)
  const put = (data: object) => ada.client.call('storage.put', { key: 'counter', value: 0, ...data })
  const first = await Promise.allSettled(Array.from({ length: 16 }, () => put({ version: 0 })))
  expect(first.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const second = await Promise.allSettled(Array.from({ length: 16 }, (_, n) => put({ value: n, version: 1 })))
  expect(second.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  await Promise.all(Array.from({ length: 10 }, () => put({})))
  expect(await ada.client.call('storage.get', { key: 'counter' })).toMatchObject({ version: 12 })
})

test('keys are listed by prefix, page by page, the newest first', async ({ rally }) => {
  const [ada] = await newcomers(rally, 1)
  for (const key of ['saves/1', 'saves/2', 'saves/3', 'saves/4', 'settings'])
    await ada.client.call('storage.put', { key, value: key })
  const list = (data: object) =>
    ada.client.call<{ items: { key: string }[]; nextCursor?: string }>('storage.list', { limit: 3, ...data })
  const first = await list({ prefix: 'saves/' })
  const second = await list({ prefix: 'saves/', cursor: first.nextCursor })
  expect(first.items.map(({ key }) => key)).toEqual(['saves/4', 'saves/3', 'saves/2'])
  expect(second.items.map(({ key }) => key)).toEqual(['saves/1'])
  expect(second.nextCursor).toBeUndefined()
  expect(first.items[0]).not.toHaveProperty('value')
  await expect(list({ cursor: '1_x' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
})
