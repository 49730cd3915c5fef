import { randomBytes } from 'node:crypto'
import { describe, expect } from 'vitest'
import type { Transaction } from '../../src/db/database.ts'
import { SecretBox } from '../../src/db/secret-encryption.ts'
import { rotateTotp } from '../../src/modules/auth/methods/rotateTotp.ts'
import { hashRecoveryCode, newRecoveryCodes } from '../../src/modules/auth/recovery-codes.ts'
import { Authorized, Candidate, Rotated, SessionInfo } from '../../src/modules/auth/types.ts'
import { Context } from '../../src/modules/define.ts'
import { listOf } from '../../src/modules/pages.ts'
import { Call, type CallerUser, RpcError } from '../../src/rpc/index.ts'
import {
  begun,
  config,
  type Registered,
  register,
  registerAndEnter,
  startNode,
  type TestNode,
  test,
} from './harness.ts'

const MINUTE = 60_000
const hasUser = (ctx: Context): ctx is Context & { readonly user: CallerUser } => ctx.user !== null
const key = (id: string) => ({ id, key: randomBytes(32) })

const recover = (on: TestNode, username: string, recoveryCode: string) =>
  on.socket().ask('auth.recover', { username, recoveryCode })

async function signIn(on: TestNode, user: Registered, secret = user.secret) {
  const socket = await begun(on, user.user.username)
  return socket.ask('auth.verify', { code: on.clock.code(secret) })
}

describe('encryption', () => {
  const [old, current] = [key('old'), key('current')]

  test('gives a secret back to its owner, with any of the keys', () => {
    const sealed = new SecretBox([old]).seal('a secret', 'user-1')
    const box = new SecretBox([current, old])
    expect(box.open(sealed, 'user-1')).toBe('a secret')
    expect(box.isCurrent(sealed)).toBe(false)
    expect(box.isCurrent(box.seal('a secret', 'user-1'))).toBe(true)
  })

  test('fails for another user, for changed bytes and without the key', () => {
    const box = new SecretBox([current])
    const sealed = box.seal('a secret', 'user-1')
    expect(() => box.open(sealed, 'user-2')).toThrow()
    expect(() => box.open({ ...sealed, bytes: sealed.bytes.slice(0, 20) }, 'user-1')).toThrow()
    for (const position of sealed.bytes.keys()) {
      const bytes = sealed.bytes.map((byte, index) => (index === position ? byte ^ 1 : byte))
      expect(() => box.open({ ...sealed, bytes }, 'user-1')).toThrow()
    }
    expect(() => new SecretBox([old]).open(sealed, 'user-1')).toThrow(/current/)
    expect(() => new SecretBox([key('current')]).open(sealed, 'user-1')).toThrow()
  })

  test('encrypts the same text differently each time', () => {
    const box = new SecretBox([current])
    expect(box.seal('a secret', 'user-1').bytes).not.toEqual(box.seal('a secret', 'user-1').bytes)
  })
})

describe('an authenticator secret', () => {
  test("copied into another user's row does not sign in there", async ({ database, clock }) => {
    const own = await startNode({ database, clock })
    const [thief, victim] = [await register(own), await register(own)]
    const { totpKeyId, totpSecret } = await database.db.user.findUniqueOrThrow({ where: { id: thief.user.id } })
    await database.db.user.update({ where: { id: victim.user.id }, data: { totpKeyId, totpSecret } })
    clock.advance(MINUTE)
    expect(await signIn(own, victim, thief.secret)).toMatchObject({ error: 'INTERNAL' })
    await expect(own.stop()).rejects.toThrow('handlers failed')
  })

  test('moves to the newest key when its user signs in, and the old key can go', async ({ database, clock }) => {
    const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
    const withKeys = (keys: string) => startNode({ database, clock, config: config({ ENCRYPTION_KEY: keys }) })
    const before = await withKeys(`first:${first}`)
    const user = await register(before)
    await before.stop()
    const keyId = async () => (await database.db.user.findUniqueOrThrow({ where: { id: user.user.id } })).totpKeyId
    expect(await keyId()).toBe('first')

    clock.advance(MINUTE)
    const during = await withKeys(`second:${second},first:${first}`)
    expect((await signIn(during, user)).error).toBeUndefined()
    await during.stop()
    expect(await keyId()).toBe('second')

    clock.advance(MINUTE)
    const after = await withKeys(`second:${second}`)
    expect((await signIn(after, user)).error).toBeUndefined()
    await after.stop()
  })
})

describe('a recovery code', () => {
  test('signs in once, also when it comes twice at the same time', async ({ node }) => {
    const { user, recoveryCodes } = await register(node)
    const [code = '', other = ''] = recoveryCodes
    const answers = await Promise.all([recover(node, user.username, code), recover(node, user.username, code)])
    expect(answers.map(({ error }) => error).sort()).toEqual(['INVALID_CODE', undefined])
    const won = answers.find(({ error }) => error === undefined)
    const { token } = Authorized.parse(won?.data)
    expect(await node.auth.sessions.redeem(token, { ip: '', userAgent: '' })).toMatchObject({ user: { id: user.id } })
    expect(won?.data).not.toHaveProperty('recoveryCodes')
    expect(await recover(node, user.username, code)).toMatchObject({ error: 'INVALID_CODE' })
    expect((await recover(node, user.username.toUpperCase(), other)).error).toBeUndefined()
  })

  test('may be typed with capitals, spaces and similar letters', async ({ node }) => {
    const { user, recoveryCodes } = await register(node)
    const typed = (recoveryCodes[0] ?? '').toUpperCase().replaceAll('-', ' ').replaceAll('0', 'O').replaceAll('1', 'l')
    expect((await recover(node, user.username, ` ${typed} `)).error).toBeUndefined()
  })

  test('of another user is refused', async ({ node }) => {
    const [first, second] = [await register(node), await register(node)]
    const answer = await recover(node, first.user.username, second.recoveryCodes[0] ?? '')
    expect(answer).toMatchObject({ error: 'INVALID_CODE' })
    expect((await recover(node, second.user.username, second.recoveryCodes[0] ?? '')).error).toBeUndefined()
  })

  test('is one of ten different ones, and its hash depends on its user', () => {
    const codes = newRecoveryCodes()
    expect(new Set(codes).size).toBe(10)
    const [code = ''] = codes
    expect(hashRecoveryCode('a', code)).toEqual(hashRecoveryCode('a', code.toUpperCase()))
    expect(hashRecoveryCode('a', code)).not.toEqual(hashRecoveryCode('b', code))
  })
})

describe('rotating the authenticator', () => {
  test('in a fresh session replaces secret and recovery codes and ends the other sessions', async ({ clock, node }) => {
    const user = await registerAndEnter(node)
    const recovered = Authorized.parse((await recover(node, user.user.username, user.recoveryCodes[0] ?? '')).data)
    const other = await node.auth.sessions.redeem(recovered.token, { ip: '', userAgent: '' })
    const [socket, ended] = [node.socketOf(other), node.socketOf(user.signedIn)]

    const candidate = await socket.get(Candidate, 'auth.rotateTotp')
    expect(candidate.otpauthUrl).toContain(user.user.username)
    expect(await socket.ask('auth.rotateTotp', { code: clock.wrongCode(candidate.secret) })).toMatchObject({
      error: 'INVALID_CODE',
    })
    const rotated = await socket.get(Rotated, 'auth.rotateTotp', { code: clock.code(candidate.secret) })
    if (rotated.status !== 'rotated') throw new Error(rotated.status)
    expect(rotated.recoveryCodes).toHaveLength(10)
    expect(await ended.closed()).toEqual({ code: 4501, reason: 'revoked' })
    const { items } = await socket.get(listOf(SessionInfo), 'auth.sessions')
    expect(items.map(({ id }) => id)).toEqual([other.sessionId])

    clock.advance(MINUTE)
    expect(await signIn(node, user)).toMatchObject({ error: 'INVALID_CODE' })
    expect((await signIn(node, user, candidate.secret)).error).toBeUndefined()
    expect(await recover(node, user.user.username, user.recoveryCodes[1] ?? '')).toMatchObject({
      error: 'INVALID_CODE',
    })
    expect((await recover(node, user.user.username, rotated.recoveryCodes[0] ?? '')).error).toBeUndefined()
  })

  test('draws the QR code before its transaction begins', async ({ node }) => {
    const { signedIn } = await registerAndEnter(node)
    const { connection } = node.socketOf(signedIn)
    const call = new Call<Transaction>(connection.caller, connection, 'auth.rotateTotp', 'e')
    const ctx = new Context(node.platform, call)
    if (!hasUser(ctx)) throw new Error('the socket is signed in')
    const args = { ctx, input: {} }
    const prepared = await rotateTotp.prepare?.(args)
    expect(prepared).toMatchObject({ qrCode: expect.stringMatching(/^data:image/) })
    // What runs in the transaction answers with it.
    expect(rotateTotp.handle({ ...args, prepared: prepared ?? '', fail: (code) => new RpcError(code) })).toBe(prepared)
  })

  test('needs a session younger than ten minutes', async ({ clock, node }) => {
    const user = await registerAndEnter(node)
    const socket = node.socketOf(user.signedIn)
    clock.advance(10 * MINUTE - 1)
    expect((await socket.ask('auth.rotateTotp')).error).toBeUndefined()
    clock.advance(1)
    expect(await socket.ask('auth.rotateTotp')).toMatchObject({ error: 'FORBIDDEN' })
  })

  test('is bounded for a user over all of their sockets', async ({ node }) => {
    const user = await registerAndEnter(node)
    const sockets = [node.socketOf(user.signedIn), node.socketOf(user.signedIn)]
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => sockets[index % 2]?.ask('auth.rotateTotp')),
    )
    expect(answers.filter((answer) => answer?.error === undefined)).toHaveLength(10)
    expect(answers.filter((answer) => answer?.error === 'RATE_LIMITED')).toHaveLength(30)
  })

  test('changes nothing until the new code has come, on the same socket and within five minutes', async ({
    clock,
    node,
  }) => {
    const user = await registerAndEnter(node)
    const [socket, another] = [node.socketOf(user.signedIn), node.socketOf(user.signedIn)]
    const { secret } = await socket.get(Candidate, 'auth.rotateTotp')
    const noChallenge = { error: 'NO_CHALLENGE' }
    expect(await another.ask('auth.rotateTotp', { code: clock.code(secret) })).toMatchObject(noChallenge)
    clock.advance(5 * MINUTE)
    expect(await socket.ask('auth.rotateTotp', { code: clock.code(secret) })).toMatchObject(noChallenge)
    expect((await signIn(node, user)).error).toBeUndefined()
  })

  test('counts a new code once, and answers a retry with the same recovery codes', async ({ clock, node }) => {
    const user = await registerAndEnter(node)
    const socket = node.socketOf(user.signedIn)
    const { secret } = await socket.get(Candidate, 'auth.rotateTotp')
    const code = clock.code(secret)
    const answers = await Promise.all([
      socket.ask('auth.rotateTotp', { code }, 'rotate-1'),
      socket.ask('auth.rotateTotp', { code }, 'rotate-2'),
    ])
    expect(answers.map(({ error }) => error).sort()).toEqual(['NO_CHALLENGE', undefined])
    const won = answers.find(({ error }) => error === undefined)
    const retried = await node.socketOf(user.signedIn).ask('auth.rotateTotp', { code }, won?.eid)
    expect(retried.data).toEqual(won?.data)
    clock.advance(MINUTE)
    const { recoveryCodes } = Rotated.options[1].parse(won?.data)
    expect((await recover(node, user.user.username, recoveryCodes[0] ?? '')).error).toBeUndefined()
  })

  test('leaves neither the secret nor the recovery codes in the answers that are kept', async ({
    database,
    clock,
    node,
  }) => {
    const user = await registerAndEnter(node)
    const socket = node.socketOf(user.signedIn)
    const { secret } = await socket.get(Candidate, 'auth.rotateTotp')
    const rotated = await socket.get(Rotated, 'auth.rotateTotp', { code: clock.code(secret) })
    if (rotated.status !== 'rotated') throw new Error(rotated.status)
    const kept = await database.db.write.findMany({ where: { userId: user.user.id } })
    expect(kept).toHaveLength(2)
    const text = JSON.stringify(kept)
    for (const hidden of [secret, ...rotated.recoveryCodes]) expect(text).not.toContain(hidden)
  })
})
