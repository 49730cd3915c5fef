import { expect, vi } from 'vitest'
import { z } from 'zod'
import { begun, recorded, registerAndEnter, startNode } from './harness.ts'
import { test } from './passkey-harness.ts'

const loaded = vi.hoisted(() => vi.fn<() => void>())
vi.mock('@simplewebauthn/server', async (original) => {
  loaded()
  return original()
})

test('a server that asks for no passkeys neither loads the library nor makes a query more', async ({
  database,
  clock,
}) => {
  const { statements, database: watched } = recorded(database)
  const node = await startNode({ database: watched, clock })
  const { user, secret, signedIn } = await registerAndEnter(node)
  clock.advance(30_000)
  const socket = await begun(node, user.username)
  statements.length = 0
  const { data } = await socket.ask('auth.verify', { code: clock.code(secret) })
  const made = statements.filter((name) => !name.startsWith('sessions.'))
  expect(made).toEqual(['attempts.take', 'accounts.byId', 'accounts.spendStep', 'attempts.settle'])
  expect(Object.keys(data)).toEqual(['status', 'user', 'token'])
  expect(claimsOf(data.token)).toEqual(['sub', 'jti', 'version', 'iss', 'aud', 'iat', 'exp'])

  statements.length = 0
  await node.socketOf(signedIn).ask('auth.passkeys')
  expect(statements.filter((name) => !name.startsWith('sessions.'))).toEqual([])
  await node.stop()
  expect(loaded).not.toHaveBeenCalled()
})

test('the library is loaded where passkeys are asked for', ({ keyed }) => {
  expect(keyed.platform.config.secondFactor).toBe('passkey')
  expect(loaded).toHaveBeenCalled()
})

function claimsOf(token: unknown): string[] {
  const [, payload = ''] = z.string().parse(token).split('.')
  return Object.keys(JSON.parse(Buffer.from(payload, 'base64url').toString()))
}
