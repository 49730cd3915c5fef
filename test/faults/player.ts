import { request } from 'node:http'
import { connect, type TestClient } from '../support/client.ts'
import { codeOf } from '../support/server.ts'

/** Somebody with an account, who comes from an address of their own. */
export interface Player {
  readonly username: string
  readonly secret: string
  readonly address: string
  readonly cookie: string
}

interface Authorized {
  readonly token: string
}

const PATIENT = { deadlineMs: 15_000 }

export async function register(url: string, username: string, address: string): Promise<Player> {
  await using client = await connect(url, { localAddress: address, ...PATIENT })
  const { secret } = await client.call<{ secret: string }>('auth.begin', { username }, PATIENT)
  const { token } = await client.call<Authorized>('auth.verify', { code: codeOf(secret) }, PATIENT)
  return { username, secret, address, cookie: await redeem(url, token, address) }
}

/** Signs in from the first frame to an open socket with the session's cookie. Once a player: a code counts once. */
export async function signIn(url: string, { username, secret, address }: Omit<Player, 'cookie'>): Promise<TestClient> {
  await using client = await connect(url, { localAddress: address, ...PATIENT })
  await client.call('auth.begin', { username }, PATIENT)
  const { token } = await client.call<Authorized>('auth.verify', { code: codeOf(secret, 1) }, PATIENT)
  const cookie = await redeem(url, token, address)
  const signedIn = await connect(url, { cookie, localAddress: address, ...PATIENT })
  if (signedIn.welcome.user?.username !== username) throw new Error('the cookie signed nobody in')
  return signedIn
}

/** The `Cookie` header that a ticket is exchanged for. */
async function redeem(url: string, token: string, address: string): Promise<string> {
  const { status, setCookie } = await http(`${url}/session`, address, 'POST', JSON.stringify({ token }))
  if (status !== 200) throw new Error(`POST /session: ${status}`)
  return setCookie.map((each) => each.slice(0, each.indexOf(';'))).join('; ')
}

export async function endSession(url: string, { cookie, address }: Player): Promise<void> {
  const { status } = await http(`${url}/session`, address, 'DELETE', '', { Cookie: cookie })
  if (status !== 200) throw new Error(`DELETE /session: ${status}`)
}

/** The status of `GET` for somebody at this address. */
export async function statusOf(url: string, address: string): Promise<number> {
  return (await http(url, address, 'GET', '')).status
}

function http(url: string, localAddress: string, method: string, body: string, more: Record<string, string> = {}) {
  return new Promise<{ status: number; setCookie: string[] }>((resolve, reject) => {
    const headers = { ...more, ...(body === '' ? {} : { 'Content-Type': 'application/json' }) }
    const sent = request(url, { method, localAddress, headers, agent: false }, (answer) => {
      answer.resume()
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, setCookie: answer.headers['set-cookie'] ?? [] }),
      )
    })
    sent.setTimeout(10_000, () => sent.destroy(new Error(`${method} ${url}: no answer`)))
    sent.once('error', reject)
    sent.end(body)
  })
}
