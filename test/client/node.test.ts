import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, describe, expect, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createClient } from '../../src/client/node.ts'
import { callerUser } from '../support/caller-user.ts'
import { type Rig, startRig } from '../support/rig.ts'
import type { TestApi } from './support.ts'

async function makeFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'rally-node-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function start() {
  const rig = await startRig()
  onTestFinished(() => rig.stop())
  return rig
}

const test = base.extend('folder', () => makeFolder()).extend('rig', () => start())

/** Resolves to the user of the first welcome. */
async function userOf({ url }: Rig, cookieFile: string) {
  const rally = createClient<TestApi>({ url, cookieFile, WebSocket })
  onTestFinished(() => rally.close())
  return { rally, user: await new Promise((resolve) => rally.on('user', resolve)) }
}

const withCookie = async (rig: Rig, username: string) => {
  const [name = '', value] = (await rig.cookieOf(username)).split('=')
  return JSON.stringify({ [rig.url]: { [name]: { value, expiresAt: null } } })
}

test('connects as the user of its file, and as nobody without one', async ({ folder, rig }) => {
  const file = join(folder, 'session')
  expect(await userOf(rig, file)).toMatchObject({ user: null })
  await writeFile(file, await withCookie(rig, 'ada'))
  expect(await userOf(rig, file)).toMatchObject({ user: { username: 'ada' } })
})

test('signing out empties the file for this server alone', async ({ folder, rig }) => {
  const file = join(folder, 'session')
  const other = { 'https://other.example': { rally: { value: 'x', expiresAt: null } } }
  await writeFile(file, JSON.stringify({ ...JSON.parse(await withCookie(rig, 'ada')), ...other }), { mode: 0o644 })
  const { rally } = await userOf(rig, file)
  await rally.signOut()
  expect(rally.user).toBeNull()
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ [rig.url]: {}, ...other })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('keeps what the answer to a handshake sets', async ({ folder, rig }) => {
  const file = join(folder, 'deep', 'session')
  const worthless = join(folder, 'worthless')
  const [name = ''] = (await rig.cookieOf('ada')).split('=')
  await writeFile(worthless, JSON.stringify({ [rig.url]: { [name]: { value: 'worthless', expiresAt: null } } }))
  expect(await userOf(rig, worthless)).toMatchObject({ user: null })
  // The server clears a cookie that proves nothing.
  expect(JSON.parse(await readFile(worthless, 'utf8'))).toEqual({ [rig.url]: {} })
  expect(await userOf(rig, file)).toMatchObject({ user: null })
})

test.for(['{', '[1]', '{"http://a":1}', '{"http://a":{"rally":"x"}}'])(
  'refuses a file with %s',
  async (text, { folder, rig }) => {
    const cookieFile = join(folder, 'session')
    await writeFile(cookieFile, text)
    expect(() => createClient({ url: rig.url, cookieFile, WebSocket })).toThrow(/does not hold the cookies/)
  },
)

test('asks for a WebSocket where Node has none', ({ folder, rig }) => {
  vi.stubGlobal('WebSocket', undefined)
  onTestFinished(() => void vi.unstubAllGlobals())
  expect(() => createClient({ url: rig.url, cookieFile: join(folder, 'session') })).toThrow(/npm package ws/)
})

describe('with a token', () => {
  const token = 'rally_of-ada'
  const ada = callerUser('ada')
  const startWithTokens = async () => {
    const held = new Set([token])
    const identify = async (asked: string) =>
      held.has(asked) ? { user: ada, token: { id: 'token-1', scopes: ['read' as const] } } : null
    const rig = await startRig({ server: { tokens: { hashOf: (token) => token, identify } } })
    onTestFinished(() => rig.stop())
    const open = (asked: string) => {
      const rally = createClient<TestApi>({ url: rig.url, token: asked, WebSocket, backoff: { minMs: 20, maxMs: 50 } })
      onTestFinished(() => rally.close())
      return rally
    }
    return { rig, held, open }
  }
  type Client = ReturnType<Awaited<ReturnType<typeof startWithTokens>>['open']>
  const refusalOf = (rally: Client) => new Promise((resolve) => rally.on('refused', resolve))
  const closed = (rally: Client) => vi.waitFor(() => expect(rally.status).toBe('closed'))

  test('connects as its user, and closes when the token is revoked', async () => {
    const { rig, open } = await startWithTokens()
    const rally = open(token)
    expect(await new Promise((resolve) => rally.on('user', resolve))).toMatchObject({ username: 'ada' })
    const refusal = refusalOf(rally)
    rig.dispatcher.connections.closeCredential(ada.id, 'token-1', 4501, 'revoked')
    expect(await refusal).toMatchObject({ code: 'UNAUTHENTICATED' })
    await closed(rally)
  })

  test('closes when the token is worth nothing, or was revoked while the client was away', async () => {
    const { rig, held, open } = await startWithTokens()
    const wrong = open('rally_of-nobody')
    expect(await refusalOf(wrong)).toMatchObject({ code: 'UNAUTHENTICATED' })
    await closed(wrong)
    const rally = open(token)
    await new Promise((resolve) => rally.on('user', resolve))
    held.clear()
    const refusal = refusalOf(rally)
    for (const connection of [...rig.dispatcher.connections]) connection.close(4000, 'leaving')
    expect(await refusal).toMatchObject({ code: 'UNAUTHENTICATED' })
    await closed(rally)
  })
})
