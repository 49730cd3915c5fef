import { randomBytes, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { createCookies } from '../../src/server/session-cookie.ts'

const MONTH_MS = 30 * 86_400_000
const key = new Uint8Array(randomBytes(48))
const cookies = createCookies(key, false)

const pairOf = (setCookie: string) => setCookie.slice(0, setCookie.indexOf(';'))

function signed(audience: string, claims: Record<string, unknown>): Promise<string> {
  const draft = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setIssuer('rally').setAudience(audience)
  return draft.setIssuedAt().setExpirationTime('1h').sign(key)
}

describe('cookies', () => {
  test('of one browser are read together', async () => {
    const device = { id: randomUUID(), users: [randomUUID(), randomUUID()] }
    const header = [
      'theme=dark',
      pairOf(cookies.session('user', 'session', Date.now() + MONTH_MS)),
      pairOf(cookies.device(device)),
    ].join('; ')
    const session = { userId: 'user', sessionId: 'session', isAging: false }
    expect(cookies.read(header)).toEqual({ session, isBad: false, device })
    expect(cookies.read('')).toEqual({ session: null, isBad: false, device: null })
  })

  test.for<[string, Record<string, unknown>]>([
    ['no user', { sid: 's' }],
    ['a user that is no text', { sub: 1, sid: 's' }],
    ['no session', { sub: 'u' }],
    ['a session that is no text', { sub: 'u', sid: ['s'] }],
  ])('that name %s name nobody, though they are signed', async ([, claims]) => {
    const read = cookies.read(`rally=${await signed('session', claims)}`)
    expect(read).toEqual({ session: null, isBad: true, device: null })
  })

  test.for<[string, Record<string, unknown>]>([
    ['no id', { users: [] }],
    ['no users', { did: 'd' }],
    ['users that are no list', { did: 'd', users: 'u' }],
  ])('of a device with %s are none, though they are signed', async ([, claims]) => {
    expect(cookies.read(`rally-device=${await signed('device', claims)}`).device).toBeNull()
  })

  test('of one kind are not accepted as the other', async () => {
    const [session, device] = [
      await signed('session', { sub: 'u', sid: 's', did: 'd', users: [] }),
      await signed('device', { sub: 'u', sid: 's', did: 'd', users: [] }),
    ]
    expect(cookies.read(`rally=${device}; rally-device=${session}`)).toEqual({
      session: null,
      isBad: true,
      device: null,
    })
  })

  test('of a device name the last eight users', async () => {
    const users = Array.from({ length: 9 }, () => randomUUID())
    const header = pairOf(cookies.device({ id: 'd', users }))
    expect(cookies.read(header).device).toEqual({ id: 'd', users: users.slice(0, 8) })
  })
})
