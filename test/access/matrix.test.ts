import { expect } from 'vitest'
import { newAdmin } from '../support/admins.ts'
import { connect, type TestClient } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { newcomer, newcomers } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import type { Rally } from '../support/server.ts'
import type { World } from './cases.ts'
import { type CallerKind, callers, type Row, rows } from './matrix.ts'

const test = rallyTest({ config: { matches: matchTimes({ maxActive: 1_000 }) } })
  .extend('world', { scope: 'file' }, async ({ rally }): Promise<World> => {
    const [owner, other] = await newcomers(rally, 2)
    return { rally, owner, other, newcomer: () => newcomer(rally) }
  })
  .extend('clients', { scope: 'file' }, async ({ rally, world }, { onCleanup }) => {
    const [admin, anonymous] = await Promise.all([newAdmin(rally), connect(rally.url)])
    onCleanup(() => anonymous.close())
    return { anonymous, owner: world.owner.client, other: world.other.client, admin: admin.client }
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

test.for(rows)('$type answers each kind of caller as docs/access.md says', async (row, { world, clients, rally }) => {
  const seen: Partial<Record<CallerKind, string>> = {}
  for (const caller of callers) {
    if (caller === 'token') continue
    const input = (await row.input?.(world)) ?? {}
    const isNew = row.isLast && caller !== 'anonymous'
    const client = isNew ? (caller === 'admin' ? await newAdmin(rally) : await newcomer(rally)).client : clients[caller]
    seen[caller] = await ask(rally, client, row, input)
  }
  const { token: _, ...expected } = row.cells
  expect(seen).toEqual(expected)
})
