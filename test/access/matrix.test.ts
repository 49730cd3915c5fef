import { expect } from 'vitest'
import type { ServiceModule } from '../../src/modules/define.ts'
import { modules } from '../../src/modules/index.ts'
import { tokenScopes } from '../../src/protocol/index.ts'
import { newAdmin } from '../support/admins.ts'
import { connect, type TestClient } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { newcomer, newcomers } from '../support/newcomers.ts'
import { makeToken, openProgram } from '../support/programs.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import type { Rally } from '../support/server.ts'
import type { World } from './cases.ts'
import { type CallerKind, callers, type Row, rows } from './matrix.ts'

/** The modules as they are, but for the limits of definitions: every input is made anew for every caller. */
const unlimited = Object.fromEntries(
  Object.values<ServiceModule>(modules).map((module) => {
    const limit = { points: 1_000_000, perSeconds: 60 }
    const without = <D extends object>(all: Readonly<Record<string, D>>) =>
      Object.fromEntries(Object.entries(all).map(([name, definition]) => [name, { ...definition, limit }]))
    const { methods, subscriptions } = module
    return [module.name, { ...module, methods: without(methods), subscriptions: without(subscriptions), routes: [] }]
  }),
)

const test = rallyTest({
  modules: unlimited,
  config: { matches: matchTimes({ maxActive: 1_000, countdownMs: 50 }), secondFactor: 'passkey' },
})
  .extend('world', { scope: 'file' }, async ({ rally }): Promise<World> => {
    const [owner, other] = await newcomers(rally, 2)
    return { rally, owner, other, admin: await newAdmin(rally), newcomer: () => newcomer(rally) }
  })
  .extend('anonymous', { scope: 'file' }, async ({ rally }, { onCleanup }) => {
    const client = await connect(rally.url)
    onCleanup(() => client.close())
    return client
  })
  .extend('programs', { scope: 'file' }, async ({ rally, world }, { onCleanup }) => {
    /** By the scope that their token lacks; `none`: it lacks nothing. */
    const programs = new Map<string, TestClient>()
    for (const lacking of ['none', ...tokenScopes]) {
      const scopes = tokenScopes.filter((scope) => scope !== lacking)
      programs.set(lacking, await openProgram(rally, await makeToken(world.owner.client, scopes)))
    }
    onCleanup(async () => void (await Promise.all([...programs.values()].map((program) => program.close()))))
    return programs
  })

/** What a caller gets: `ok`, or the code of the error. */
async function ask(rally: Rally, client: TestClient, { type, definition }: Row, input: object): Promise<string> {
  const asked = client.request<{ channel: string }>(type, input)
  if (definition.kind === 'method' && definition.effect === 'input') {
    const refused = asked.then(({ error = 'ok' }) => error)
    return Promise.race([refused, taken(rally, client, refused)])
  }
  const { error, data } = await asked
  if (error !== undefined) return error
  if (definition.kind === 'subscription') await client.request('rpc.unsubscribe', { channel: data.channel })
  return 'ok'
}

/** `ok` once an input has been handled and no refusal came: a refusal comes before the answer of a later request. */
async function taken({ app }: Rally, client: TestClient, refused: Promise<string>): Promise<string> {
  refused.catch(() => undefined)
  const { requests } = app.platform
  const before = requests()
  await eventually(
    async () => requests(),
    (now) => now > before,
  )
  await client.request('rpc.ping')
  return 'ok'
}

test.for(rows)('$type answers each kind of caller as declared', async (row, { world, anonymous, programs, rally }) => {
  const clientOf = async (caller: CallerKind): Promise<TestClient> => {
    if (caller === 'token') return programs.get(row.definition.scope) ?? programs.get('none') ?? anonymous
    if (caller === 'anonymous') return row.isAlone ? connect(rally.url) : anonymous
    if (!row.isAlone) return world[caller].client
    return (await (caller === 'admin' ? newAdmin(rally) : newcomer(rally))).client
  }
  const seen: Partial<Record<CallerKind, string>> = {}
  for (const caller of callers) {
    const client = await clientOf(caller)
    const input = (await row.input?.(world, client)) ?? {}
    seen[caller] = await ask(rally, client, row, input)
  }
  expect(seen).toEqual(row.cells)
})
