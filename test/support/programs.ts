import type { CreatedToken } from '../../src/modules/auth/types.ts'
import type { TokenScope } from '../../src/protocol/index.ts'
import { type ConnectOptions, connect, type TestClient } from './client.ts'
import type { Rally } from './server.ts'

/** Makes a token for a program of the signed-in user of `client`. */
export function makeToken(
  client: TestClient,
  scopes: readonly TokenScope[],
  name = 'a program',
): Promise<CreatedToken> {
  return client.call<CreatedToken>('auth.createToken', { name, scopes })
}

/** A socket of a program. */
export function openProgram(
  { url }: Pick<Rally, 'url'>,
  { token }: Pick<CreatedToken, 'token'>,
  options: ConnectOptions = {},
): Promise<TestClient> {
  return connect(url, { ...options, headers: { Authorization: `Bearer ${token}`, ...options.headers } })
}
