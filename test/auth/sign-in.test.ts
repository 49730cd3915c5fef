import { describe, expect } from 'vitest'
import { Authorized, Begun, Candidate } from '../../src/modules/auth/types.ts'
import { begun, freshName, recorded, register, startNode, type TestNode, test } from './harness.ts'

describe('registering', () => {
  test('a free name is a candidate until a code proves its secret', async ({ database, clock, node }) => {
    const socket = node.socket()
    const candidate = await socket.get(Candidate, 'auth.begin', { username: 'Ann_Bee' })
    expect(candidate.qrCode).toMatch(/^data:image\/png;base64,/)
    expect(candidate.otpauthUrl).toContain(`secret=${candidate.secret}`)
    expect(candidate.secret).toMatch(/^[A-Z2-7]{32}$/)
    expect(await database.db.user.count({ where: { username: 'ann_bee' } })).toBe(0)

    const authorized = await socket.get(Authorized, 'auth.verify', { code: clock.code(candidate.secret) })
    expect(authorized.user).toMatchObject({ username: 'ann_bee', displayName: 'Ann_Bee', createdAt: clock.ms })
    expect(authorized.recoveryCodes).toHaveLength(10)
    for (const code of authorized.recoveryCodes ?? []) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-z]{4}$/)
    expect(await node.socket().get(Begun, 'auth.begin', { username: 'ANN_BEE' })).toEqual({ status: 'user' })
  })

  test('nothing of the secret or the recovery codes is stored in clear', async ({ database, node }) => {
    const { user, secret, recoveryCodes } = await register(node)
    const row = await database.db.user.findUniqueOrThrow({
      where: { id: user.id },
      include: { recoveryCodes: true },
    })
    const stored = [row.totpSecret, ...row.recoveryCodes.map(({ hash }) => hash)].map((bytes) =>
      Buffer.from(bytes).toString('latin1'),
    )
    for (const text of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))]) {
      expect(stored.some((bytes) => bytes.includes(text))).toBe(false)
    }
  })

  test('of several clients that race for one free name, one gets it', async ({ database, clock, node }) => {
    const username = freshName()
    const sockets = Array.from({ length: 8 }, (_, index) => node.socket({ ip: `198.51.100.${index}` }))
    const candidates = await Promise.all(sockets.map((socket) => socket.get(Candidate, 'auth.begin', { username })))
    const answers = await Promise.all(
      sockets.map((socket, index) => socket.ask('auth.verify', { code: clock.code(candidates[index]?.secret ?? '') })),
    )
    const errors = answers.map(({ error }) => error).sort()
    expect(errors.filter((error) => error === undefined)).toHaveLength(1)
    expect(errors.filter((error) => error === 'USERNAME_TAKEN')).toHaveLength(7)
    expect(await database.db.user.count({ where: { username } })).toBe(1)
    expect(await database.db.recoveryCode.count({ where: { user: { username } } })).toBe(10)
  })

  test('two right answers to one challenge make one user', async ({ database, clock, node }) => {
    const username = freshName()
    const socket = node.socket()
    const { secret } = await socket.get(Candidate, 'auth.begin', { username })
    const code = clock.code(secret)
    const answers = await Promise.all([socket.ask('auth.verify', { code }), socket.ask('auth.verify', { code })])
    expect(answers.map(({ error }) => error).sort()).toEqual(['NO_CHALLENGE', undefined])
    expect(await database.db.user.count({ where: { username } })).toBe(1)
  })

  test.for(['ab', 'a'.repeat(21), 'a b c', 'ann-bee', 'ännie', 'ann\n', ''])(
    '%j is no name',
    async (username, { node }) => {
      expect(await node.socket().ask('auth.begin', { username })).toMatchObject({ error: 'VALIDATION_FAILED' })
    },
  )
})

describe('signing in', () => {
  test('a code signs in once, also when it comes twice at the same time', async ({ clock, node }) => {
    const { secret, user } = await register(node)
    clock.advance(30_000)
    const code = clock.code(secret)
    const sockets = await Promise.all(Array.from({ length: 4 }, () => begun(node, user.username)))
    const answers = await Promise.all(sockets.map((socket) => socket.ask('auth.verify', { code })))
    const errors = answers.map(({ error }) => error)
    expect(errors.filter((error) => error === undefined)).toHaveLength(1)
    expect(errors.filter((error) => error === 'INVALID_CODE')).toHaveLength(3)
    const later = await begun(node, user.username)
    expect(await later.ask('auth.verify', { code })).toMatchObject({ error: 'INVALID_CODE' })
  })

  test('the code that registered does not sign in', async ({ clock, node }) => {
    const { secret, user } = await register(node)
    const socket = await begun(node, user.username)
    expect(await socket.ask('auth.verify', { code: clock.code(secret) })).toMatchObject({ error: 'INVALID_CODE' })
  })

  test('a code older than the last used one is refused', async ({ clock, node }) => {
    const { secret, user } = await register(node)
    clock.advance(60_000)
    const [old, present] = [clock.code(secret, -1), clock.code(secret)]
    const socket = await begun(node, user.username)
    await socket.get(Authorized, 'auth.verify', { code: present })
    const next = await begun(node, user.username)
    expect(await next.ask('auth.verify', { code: old })).toMatchObject({ error: 'INVALID_CODE' })
  })

  test.for([
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ] as const)('a clock that is %i steps off: accepted %s', async ([steps, accepted], { clock, node }) => {
    const { secret, user } = await register(node)
    clock.advance(120_000)
    const socket = await begun(node, user.username)
    const { error } = await socket.ask('auth.verify', { code: clock.code(secret, steps) })
    expect(error).toBe(accepted ? undefined : 'INVALID_CODE')
  })

  test('a retry with the same eid gets the same ticket', async ({ clock, node }) => {
    const { secret, user } = await register(node)
    clock.advance(30_000)
    const socket = await begun(node, user.username)
    const code = clock.code(secret)
    const first = await socket.ask('auth.verify', { code }, 'the-same')
    const second = await socket.ask('auth.verify', { code }, 'the-same')
    expect(first.error).toBeUndefined()
    expect(second.data).toEqual(first.data)
  })
})

describe('a challenge', () => {
  test('is needed, and is gone once it was answered', async ({ clock, node }) => {
    const { secret, user } = await register(node)
    clock.advance(60_000)
    const socket = node.socket()
    expect(await socket.ask('auth.verify', { code: '123456' })).toMatchObject({ error: 'NO_CHALLENGE' })
    await socket.ask('auth.begin', { username: user.username })
    await socket.get(Authorized, 'auth.verify', { code: clock.code(secret) })
    expect(await socket.ask('auth.verify', { code: clock.code(secret, 1) })).toMatchObject({ error: 'NO_CHALLENGE' })
  })

  test('lasts five minutes and survives a wrong code', async ({ clock, node }) => {
    const { secret, user } = await register(node)
    clock.advance(60_000)
    const [late, onTime] = [await begun(node, user.username), await begun(node, user.username)]
    expect(await onTime.ask('auth.verify', { code: clock.wrongCode(secret) })).toMatchObject({ error: 'INVALID_CODE' })
    clock.advance(5 * 60_000 - 1)
    expect((await onTime.ask('auth.verify', { code: clock.code(secret) })).error).toBeUndefined()
    clock.advance(1)
    expect(await late.ask('auth.verify', { code: clock.code(secret) })).toMatchObject({ error: 'NO_CHALLENGE' })
  })

  test('belongs to its socket, and a new one replaces it', async ({ clock, node }) => {
    const [first, second] = [await register(node), await register(node)]
    clock.advance(60_000)
    const socket = await begun(node, first.user.username)
    await socket.ask('auth.begin', { username: second.user.username })
    expect(await socket.ask('auth.verify', { code: clock.code(first.secret) })).toMatchObject({ error: 'INVALID_CODE' })
    const authorized = await socket.get(Authorized, 'auth.verify', { code: clock.code(second.secret) })
    expect(authorized.user.id).toBe(second.user.id)
  })

  test('is refused on a signed-in socket', async ({ node }) => {
    const { user, token } = await register(node)
    const signedIn = await node.auth.sessions.redeem(token, { ip: '192.0.2.1', userAgent: 'test' })
    const socket = node.socketOf(signedIn)
    for (const [type, data] of [
      ['auth.begin', { username: freshName() }],
      ['auth.verify', { code: '123456' }],
      ['auth.recover', { username: user.username, recoveryCode: 'x' }],
    ] as const) {
      expect(await socket.ask(type, data)).toMatchObject({ error: 'FORBIDDEN' })
    }
  })
})

describe('a wrong code costs the same', () => {
  /** The statements that a request makes, in their order. */
  async function statementsOf(
    { clock, platform: { database } }: TestNode,
    request: (on: TestNode) => Promise<() => Promise<unknown>>,
  ): Promise<string[]> {
    const { statements, database: watched } = recorded(database)
    const own = await startNode({ database: watched, clock })
    const run = await request(own)
    statements.length = 0
    await run()
    const made = statements.filter((name) => !name.startsWith('sessions.'))
    await own.stop()
    return made
  }

  test('for a user and for a candidate', async ({ clock, node }) => {
    const { user, secret } = await register(node)
    const verify = (username: string) => async (on: TestNode) => {
      const socket = await begun(on, username)
      return async () => {
        expect(await socket.ask('auth.verify', { code: clock.wrongCode(secret) })).toMatchObject({
          error: 'INVALID_CODE',
        })
      }
    }
    const forUser = await statementsOf(node, verify(user.username))
    expect(forUser).toEqual(['attempts.take', 'accounts.byId', 'accounts.spendStep'])
    expect(await statementsOf(node, verify(freshName()))).toEqual(forUser)
  })

  test('for a name with an account and one without', async ({ node }) => {
    const { user } = await register(node)
    const recover = (username: string) => async (on: TestNode) => async () => {
      const answer = await on.socket().ask('auth.recover', { username, recoveryCode: '0000-0000-0000-0000' })
      expect(answer).toMatchObject({ error: 'INVALID_CODE' })
    }
    const forUser = await statementsOf(node, recover(user.username))
    expect(forUser).toEqual(['attempts.take', 'accounts.idByName', 'accounts.spendRecoveryCode'])
    expect(await statementsOf(node, recover(freshName()))).toEqual(forUser)
  })
})
