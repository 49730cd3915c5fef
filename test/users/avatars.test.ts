import { expect } from 'vitest'
import { newcomers } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'
import { JPEG, PNG } from './pictures.ts'

const test = rallyTest()

test('a picture is drawn until one is uploaded, and again when that is taken away', async ({ rally }) => {
  const [{ player, client }] = await newcomers(rally, 1)
  const get = (headers = {}) => fetch(`${rally.url}/avatars/${player.username}`, { headers })
  const drawn = await get()
  expect([drawn.status, drawn.headers.get('content-type')]).toEqual([200, 'image/svg+xml'])
  expect(await drawn.text()).toBe(await (await get()).text())

  await client.call('users.updateProfile', { avatar: PNG.toString('base64') })
  const uploaded = await get()
  expect(uploaded.headers.get('content-type')).toBe('image/png')
  expect(uploaded.headers.get('x-content-type-options')).toBe('nosniff')
  expect(uploaded.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
  const etag = uploaded.headers.get('etag') ?? ''
  expect((await get({ 'If-None-Match': etag })).status).toBe(304)
  await client.call('users.updateProfile', { avatar: JPEG.toString('base64') })
  const other = await get({ 'If-None-Match': etag })
  expect([other.status, other.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
  await client.call('users.updateProfile', { avatar: null })
  expect((await get()).headers.get('content-type')).toBe('image/svg+xml')

  const refused = client.call('users.updateProfile', { avatar: Buffer.from('<svg/>').toString('base64') })
  await expect(refused).rejects.toMatchObject({ code: 'BAD_PICTURE' })
  expect((await fetch(`${rally.url}/avatars/a%2Fb`)).status).toBe(404)
  expect((await fetch(`${rally.url}/avatars/a%3Cb`)).status).toBe(404)
})
