import { expect } from 'vitest'
import { newcomers } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'
import { scrape } from '../support/scrape.ts'
import { startRally } from '../support/server.ts'

const test = rallyTest({ config: { adminPort: 0 } })

test('requests are counted by type and outcome, a write that was answered with an error too', async ({ rally }) => {
  const [ada] = await newcomers(rally, 1)
  const before = await scrape(rally.app.adminUrl)
  const { client } = ada
  await client.call('rpc.ping')
  expect(await client.request('matches.join', { code: 'AAAAAA' })).toHaveProperty('error')
  const missing = { error: 'NOT_FOUND' }
  expect(await client.request('matches.join', { matchId: crypto.randomUUID() })).toMatchObject(missing)
  client.send('no JSON')
  expect(await client.next()).toMatchObject({ error: 'BAD_ENVELOPE' })
  expect(await client.request('no.suchThing')).toMatchObject({ error: 'UNKNOWN_TYPE' })
  const after = await scrape(rally.app.adminUrl)
  const grown = (type: string, outcome: string) =>
    after.value('rally_requests_total', { type, outcome }) - before.value('rally_requests_total', { type, outcome })
  expect(grown('rpc.ping', 'ok')).toBe(1)
  expect(grown('matches.join', 'NOT_FOUND')).toBeGreaterThan(0)
  expect(grown('matches.join', 'ok')).toBe(0)
  expect(grown('unknown', 'BAD_ENVELOPE')).toBe(1)
  expect(grown('unknown', 'UNKNOWN_TYPE')).toBe(1)
  expect(after.text).not.toContain('suchThing')
  const pings = { type: 'rpc.ping' }
  const measured = (seen: typeof after, le: string) =>
    seen.value('rally_request_duration_seconds_bucket', { ...pings, le })
  expect(measured(after, '+Inf') - measured(before, '+Inf')).toBe(1)
  expect(measured(after, '10')).toBe(after.value('rally_request_duration_seconds_count', pings))
})

test('sockets, subscriptions and live matches are counted', async ({ rally }) => {
  const before = await scrape(rally.app.adminUrl)
  const [ada] = await newcomers(rally, 1)
  const { id } = await ada.client.call<{ id: string }>('matches.create', { game: 'pong', mode: 'bot' })
  const updates = await ada.client.subscribe<{ status: string }>('matches.onUpdate', { matchId: id })
  if (updates.opening.snapshot?.status !== 'live') await updates.events.next(({ data }) => data.status === 'live')
  await expect
    .poll(async () => (await scrape(rally.app.adminUrl)).value('rally_tick_lateness_seconds_count'))
    .toBeGreaterThan(0)
  const after = await scrape(rally.app.adminUrl)
  const grown = (name: string, labels = {}) => after.value(name, labels) - before.value(name, labels)
  expect(grown('rally_sockets', { signed_in: 'yes' })).toBe(1)
  expect(grown('rally_sockets_opened_total', { signed_in: 'no' })).toBe(1)
  expect(after.value('rally_sockets_closed_total', { signed_in: 'no' })).toBeGreaterThan(0)
  expect(grown('rally_subscriptions', { type: 'matches.onUpdate' })).toBe(1)
  expect(grown('rally_live_matches')).toBe(1)
  expect(grown('rally_ticks_total')).toBeGreaterThan(0)
  expect(grown('rally_published_total', { kind: 'event' })).toBeGreaterThan(0)
  expect(grown('rally_queue_wait_seconds_count', { queue: 'auth.signIn' })).toBeGreaterThan(0)
  expect(grown('rally_database_wait_seconds_count', { pool: 'main' })).toBeGreaterThan(0)
  expect(after.value('rally_ready')).toBe(1)
  expect(after.text).toMatch(/^rally_build_info\{version="[\d.]+",node_version="v\d+\.[\d.]+"\} 1$/m)
})

test('a node that leaves says so, and is not ready', async () => {
  await using rally = await startRally({ config: { adminPort: 0, drainGraceMs: 1_000 } })
  const state = async () => {
    const seen = await scrape(rally.app.adminUrl)
    return [seen.value('rally_ready'), seen.value('rally_draining')]
  }
  expect(await state()).toEqual([1, 0])
  const stopped = rally.stop()
  expect(await state()).toEqual([0, 1])
  await stopped
})

test('the names and units are those that Prometheus asks for', async ({ rally }) => {
  const { text } = await scrape(rally.app.adminUrl)
  for (const [, name = '', kind] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
    expect(name).toMatch(/^(rally|process|nodejs)_[a-z_]+$/)
    expect([name, name.endsWith('_total')]).toEqual([name, kind === 'counter'])
    expect(name).not.toMatch(/_(ms|millis|mib|kb|percent)(_|$)/)
    if (kind === 'histogram') expect(name).toMatch(/_seconds$/)
  }
})

test('no label names a user, a match or an address', async ({ rally }) => {
  const [ada] = await newcomers(rally, 1)
  const { id } = await ada.client.call<{ id: string }>('matches.create', { game: 'pong', mode: 'casual' })
  const { text } = await scrape(rally.app.adminUrl)
  for (const secret of [ada.player.id, ada.player.username, ada.player.cookie, id, '127.0.0.1']) {
    expect(text).not.toContain(secret)
  }
  const labels = new Set(Array.from(text.matchAll(/[{,](\w+)="/g), ([, label]) => label))
  const allowed = ['type', 'outcome', 'le', 'code', 'signed_in', 'kind', 'what', 'queue', 'pool', 'state']
  expect([...labels].filter((label) => ![...allowed, 'version', 'node_version'].includes(label ?? ''))).toEqual([])
})
