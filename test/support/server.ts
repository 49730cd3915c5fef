import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateSync } from 'otplib'
import { type App, type AppOptions, startApp } from '../../src/app.ts'
import { createMemoryBus, type MemoryCluster } from '../../src/bus/memory.ts'
import { type Config, readConfig } from '../../src/config.ts'
import { games } from '../../src/games/index.ts'
import type { Authorized, PasskeyAsked, Verified } from '../../src/modules/auth/types.ts'
import { modules } from '../../src/modules/index.ts'
import type { Limits } from '../../src/protocol/index.ts'
import type { BusFaults } from './bus-faults.ts'
import { connect, type TestClient } from './client.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { SoftwareAuthenticator } from './software-authenticator.ts'

export interface RallyOptions extends Partial<Omit<AppOptions, 'config' | 'signal' | 'createBus'>> {
  /** Servers that are given the same one reach each other, as nodes do over Redis. */
  readonly cluster?: MemoryCluster
  /** What is wrong with the bus of the cluster. */
  readonly faults?: BusFaults
  readonly limits?: Partial<Limits>
  readonly config?: Partial<Omit<Config, 'limits'>>
  /** A database that another server uses too; one of its own unless given. */
  readonly database?: TestDatabase
}

/** A whole Rally in this process, on a port and a database of its own. */
export interface Rally extends AsyncDisposable {
  readonly url: string
  readonly app: App
  readonly config: Config
  readonly database: TestDatabase
  /** Stops the server, and drops its database where that is its own. Safe to call twice. */
  stop(): Promise<void>
}

export async function startRally(options: RallyOptions = {}): Promise<Rally> {
  const database = options.database ?? (await createTestDatabase())
  const dataDir = await mkdtemp(join(tmpdir(), 'rally-test-'))
  const base = readConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: dataDir,
    LOG_LEVEL: 'error',
    DATABASE_URL: database.url,
  })
  const config: Config = {
    ...base,
    // Tests sign many users in from one address.
    authPerIp: 100_000,
    drainGraceMs: 0,
    drainMs: 0,
    ...options.config,
    limits: { ...base.limits, socketsPerIp: 10_000, timesPerIp: 10_000, upgradesBurst: 10_000, ...options.limits },
  }
  const tidy = async () => {
    if (!options.database) await database.drop()
    await rm(dataDir, { recursive: true, force: true })
  }
  const { cluster, faults, ...given } = options
  const createBus: AppOptions['createBus'] = (onError, { node } = {}) => {
    const bus = createMemoryBus(onError, { ...(node && { node }), cluster })
    return faults ? faults.over(bus) : bus
  }
  let app: App
  try {
    app = await startApp({ modules, games, ...given, createBus, config })
  } catch (error) {
    await tidy()
    throw error
  }
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= app.stop().finally(tidy)
    return stopping
  }
  return { url: app.url, app, config, database, stop, [Symbol.asyncDispose]: stop }
}

/** A user with an account, with the data of their browser and authenticator. */
export interface Player {
  readonly id: string
  readonly username: string
  /** The `Cookie` header of their browser. */
  readonly cookie: string
  /** The secret in their authenticator, in base32. */
  readonly secret: string
  readonly recoveryCodes: readonly string[]
}

/** The code that an authenticator shows, `steps` of 30 s from now. */
export function codeOf(secret: string, steps = 0): string {
  return generateSync({ secret, epoch: Math.floor(Date.now() / 1000) + steps * 30 })
}

/** A set-up is not retried, and its speed is not tested. */
const PATIENT = { deadlineMs: 15_000 }

/** Registers a user the way a browser does: name, code from the authenticator, ticket, cookie. */
export async function register(url: string, username: string): Promise<Player> {
  await using client = await connect(url, PATIENT)
  const begun = await client.call<{ status: string; secret: string }>('auth.begin', { username }, PATIENT)
  if (begun.status !== 'candidate') throw new Error(`${username} is taken`)
  const { secret } = begun
  const verified = await client.call<Verified>('auth.verify', { code: codeOf(secret) }, PATIENT)
  const {
    user,
    token,
    recoveryCodes = [],
  } = verified.status === 'authorized' ? verified : await addPasskey(client, verified)
  return { id: user.id, username: user.username, cookie: await redeem(url, token), secret, recoveryCodes }
}

/** Of a server whose port is chosen at its start: `PUBLIC_URL` is made before. */
export const ORIGIN = 'http://localhost:0'

/** What a server asks for where `SECOND_FACTOR` is `passkey`. */
function addPasskey(client: TestClient, asked: PasskeyAsked): Promise<Authorized> {
  if (asked.status !== 'newPasskey') throw new Error('a new user was asked for a known passkey')
  const credential = new SoftwareAuthenticator(ORIGIN).create(asked.creation)
  return client.call<Authorized>('auth.verifyPasskey', { credential }, PATIENT)
}

/** Exchanges a ticket for the `Cookie` header of a browser; `cookie` is what that browser has already. */
export async function redeem(url: string, token: string, cookie = ''): Promise<string> {
  const answer = await fetch(`${url}/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(cookie === '' ? {} : { Cookie: cookie }) },
    body: JSON.stringify({ token }),
  })
  if (answer.status !== 200) throw new Error(`POST /session: ${answer.status} ${await answer.text()}`)
  return answer.headers
    .getSetCookie()
    .map((each) => each.slice(0, each.indexOf(';')))
    .join('; ')
}

/** Registers a user and opens a socket of theirs. */
export async function enter(url: string, username: string): Promise<{ player: Player; client: TestClient }> {
  const player = await register(url, username)
  return { player, client: await connect(url, { cookie: player.cookie }) }
}
