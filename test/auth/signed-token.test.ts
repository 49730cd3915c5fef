import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import { jwtVerify, SignJWT, UnsecuredJWT } from 'jose'
import { expect, test } from 'vitest'
import { createSignedTokens } from '../../src/signed-token.ts'

const key = new Uint8Array(randomBytes(48))
const tokens = createSignedTokens(key)
const read = (token: string, atMs: number, audience = 'session') => tokens.read(audience, token, atMs)
const nowMs = 1_800_000_000_000
const now = nowMs / 1000
const claims = { iss: 'rally', aud: 'session', sub: 'id-of-ada', sid: 'session-of-ada', iat: now - 10, exp: now + 10 }
const genuine = await sign()

function sign(changes: Record<string, unknown> = {}, header = { alg: 'HS256' }, signedWith = key): Promise<string> {
  return new SignJWT({ ...claims, ...changes }).setProtectedHeader(header).sign(signedWith)
}

const base64url = (text: string) => Buffer.from(text).toString('base64url')

/** Signed with the right key, whatever its parts say. */
function signedParts(header: string, payload: string): string {
  const signature = createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url')
  return `${header}.${payload}.${signature}`
}

const [header = '', payload = '', signature = ''] = genuine.split('.')

/** The same bytes, spelled with the bits that the last character has to spare. */
function otherSpelling(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(part.at(-1) ?? '')
  const other = part.slice(0, -1) + alphabet.charAt(last ^ 1)
  if (!Buffer.from(other, 'base64url').equals(Buffer.from(part, 'base64url'))) throw new Error('other bytes')
  return other
}

test('a token that jose signed is read, until the second in which it ends', async () => {
  expect(read(genuine, nowMs)).toEqual(claims)
  expect(read(genuine, nowMs + 10_000 - 1)).toEqual(claims)
  expect(read(genuine, nowMs + 10_000)).toBeNull()
})

test('jose reads a token that Rally signed', async () => {
  const own = tokens.sign('session', { sub: 'id-of-ada', sid: 'session-of-ada' }, nowMs - 10_000, 20_999)
  const options = { issuer: 'rally', audience: 'session', algorithms: ['HS256'], currentDate: new Date(nowMs) }
  const { payload, protectedHeader } = await jwtVerify(own, key, options)
  expect(protectedHeader).toEqual({ alg: 'HS256' })
  expect(payload).toEqual(claims)
  expect(read(own, nowMs)).toEqual(claims)
})

test('a key of less than 32 bytes is refused', () => {
  expect(() => createSignedTokens(new Uint8Array(31))).toThrow('32 bytes')
})

test('the largest token of Rally is read, and a larger one is refused', async () => {
  const users = Array.from({ length: 8 }, () => crypto.randomUUID())
  const device = { aud: 'device', did: crypto.randomUUID(), users }
  expect(read(await sign(device), nowMs, 'device')).toMatchObject(device)
  expect(read(await sign({ more: 'x'.repeat(1024) }), nowMs)).toBeNull()
})

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

test.for<[string, () => string | Promise<string>]>([
  ['another key', () => sign({}, { alg: 'HS256' }, new Uint8Array(48).fill(7))],
  ['alg none', () => new UnsecuredJWT(claims).encode()],
  ['alg none and the right signature', () => signedParts(base64url('{"alg":"none"}'), payload)],
  ['HS512', () => sign({}, { alg: 'HS512' })],
  ['HS512 in the header alone', () => signedParts(base64url('{"alg":"HS512"}'), payload)],
  ['RS256', () => new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)],
  ['RS256 in the header alone', () => signedParts(base64url('{"alg":"RS256"}'), payload)],
  ['a header that says more', () => signedParts(base64url('{"alg":"HS256","crit":["x"],"x":1}'), payload)],
  ['no header', () => signedParts('', payload)],
  ['another issuer', () => sign({ iss: 'x' })],
  ['no issuer', () => sign({ iss: undefined })],
  ['another audience', () => sign({ aud: 'device' })],
  ['several audiences', () => sign({ aud: ['session', 'device'] })],
  ['no audience', () => sign({ aud: undefined })],
  ['no end', () => sign({ exp: undefined })],
  ['an end that is no number', () => signedParts(header, base64url(JSON.stringify({ ...claims, exp: `${now + 10}` })))],
  ['an end in the past', () => sign({ exp: now - 1 })],
  ['an end this second', () => sign({ exp: now })],
  ['no time of issue', () => sign({ iat: undefined })],
  ['a time of issue that is no number', () => signedParts(header, base64url(JSON.stringify({ ...claims, iat: 'x' })))],
  ['another payload', () => `${header}.${base64url(JSON.stringify({ ...claims, sub: 'id-of-bob' }))}.${signature}`],
  ['a payload that is no JSON', () => signedParts(header, base64url('{'))],
  ['a payload that is no object', () => signedParts(header, base64url('null'))],
  ['an empty payload', () => signedParts(header, '')],
  [
    'a signature of the header and no payload',
    () => `${header}.${createHmac('sha256', key).update(header).digest('base64url')}`,
  ],
  ['garbage behind it', () => `${genuine}x`],
  ['a fourth part', () => `${genuine}.${signature}`],
  ['padding', () => `${genuine}=`],
  ['a space before it', () => ` ${genuine}`],
  ['a signature cut short', () => genuine.slice(0, -1)],
  ['no signature', () => `${header}.${payload}.`],
  ['another spelling of the signature', () => `${header}.${payload}.${otherSpelling(signature)}`],
  ['base64 in place of base64url', () => `${header}.${payload}.${'/'.repeat(43)}`],
  ['letters beyond ASCII', () => `${header}.${payload}.${'ä'.repeat(43)}`],
  ['another separator', () => `${header}.${payload}-${signature}`],
  ['two parts', () => `${header}.${payload}`],
  ['the header alone', () => `${header}.`],
  ['nothing in it', () => ''],
])('a token with %s is none', async ([, forge]) => {
  expect(read(await forge(), nowMs)).toBeNull()
})
