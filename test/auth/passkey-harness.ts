import type { z } from 'zod'
import {
  Authorized,
  Candidate,
  PasskeyAsked,
  type PasskeyCreation,
  type PasskeyRequest,
} from '../../src/modules/auth/types.ts'
import type { SignedIn } from '../../src/rpc/index.ts'
import { type AnswerOptions, SoftwareAuthenticator } from '../support/software-authenticator.ts'
import { test as base, begun, busIn, config, freshName, startNode, type TestNode, type TestSocket } from './harness.ts'

export const PUBLIC_URL = 'https://rally.example.com'

/** As `test` of `harness.ts`, with a node that asks for passkeys. */
export const test = base.extend('keyed', async ({ database, clock, cluster }, { onCleanup }) => {
  const node = await startNode({ database, clock, bus: busIn(cluster), config: config({ SECOND_FACTOR: 'passkey' }) })
  onCleanup(() => node.stop())
  return node
})

/** A user with an authenticator app and a security key. */
export interface Keyed {
  readonly user: z.output<typeof Authorized>['user']
  readonly token: string
  readonly secret: string
  readonly recoveryCodes: readonly string[]
  readonly key: SoftwareAuthenticator
}

/** A socket that was asked for a new passkey, by a candidate whose code was right. */
export async function candidate(node: TestNode, username = freshName()) {
  const socket = node.socket()
  const { secret } = await socket.get(Candidate, 'auth.begin', { username })
  const creation = creationOf(await socket.get(PasskeyAsked, 'auth.verify', { code: node.clock.code(secret) }))
  return { socket, secret, creation, username }
}

/** Registers a user with a first passkey. The code of the present step is used up by it. */
export async function registerKeyed(node: TestNode, username?: string): Promise<Keyed> {
  const { socket, secret, creation } = await candidate(node, username)
  const key = new SoftwareAuthenticator(PUBLIC_URL)
  const authorized = await socket.get(Authorized, 'auth.verifyPasskey', { credential: key.create(creation) })
  const { user, token, recoveryCodes = [] } = authorized
  return { user, token, secret, recoveryCodes, key }
}

export async function enterKeyed(node: TestNode): Promise<Keyed & { signedIn: SignedIn }> {
  const keyed = await registerKeyed(node)
  return { ...keyed, signedIn: await node.auth.sessions.redeem(keyed.token, { ip: '192.0.2.1', userAgent: 'test' }) }
}

/** A socket that was asked for a passkey of this user, whose next code was right. */
export async function askedForPasskey(
  node: TestNode,
  { user, secret }: Pick<Keyed, 'user' | 'secret'>,
): Promise<{ socket: TestSocket; request: z.output<typeof PasskeyRequest> }> {
  node.clock.advance(30_000)
  const socket = await begun(node, user.username)
  const asked = await socket.get(PasskeyAsked, 'auth.verify', { code: node.clock.code(secret) })
  if (asked.status !== 'passkey') throw new Error(`asked for ${asked.status}`)
  return { socket, request: asked.request }
}

/** Signs in with both factors, and answers what `auth.verifyPasskey` does. */
export async function signInKeyed(node: TestNode, keyed: Keyed, options: AnswerOptions = {}) {
  const { socket, request } = await askedForPasskey(node, keyed)
  return socket.ask('auth.verifyPasskey', { credential: keyed.key.sign(request, options) })
}

export function creationOf(asked: z.output<typeof PasskeyAsked>): z.output<typeof PasskeyCreation> {
  if (asked.status !== 'newPasskey') throw new Error(`asked for ${asked.status}`)
  return asked.creation
}
