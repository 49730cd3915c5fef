import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Held, OwnedMatches } from '../../src/modules/matches/lifecycle/owned-matches.ts'
import type { MatchResult } from '../../src/modules/matches/lifecycle/result-files.ts'
import { MatchFeed } from '../../src/modules/matches/match-feed.ts'
import type { Platform } from '../../src/modules/platform.ts'
import { newcomer } from '../support/newcomers.ts'
import type { Rally } from '../support/server.ts'
import { create, leaveBehind, startQuickRally } from './support.ts'

// Each statement that writes for a live match names the node that runs it and the fence of its claim.

const FENCE = 3

/** A live match of another process than this one, so that nothing here looks after it. */
async function leaveLive(rally: Rally) {
  const opened = await rally.database.open()
  const { player } = await newcomer(rally)
  const node = randomUUID()
  await opened.db.node.create({ data: { id: node, heartbeatAt: new Date(Date.now() + 60_000) } })
  const id = await leaveBehind(opened, { node, userId: player.id, status: 'live' })
  await opened.db.match.update({ where: { id }, data: { fence: FENCE } })
  const read = () => opened.db.match.findUniqueOrThrow({ where: { id }, include: { seats: true } })
  const platform = { ...rally.app.platform, node }
  return { ...opened, id, node, read, platform, owned: ownedBy(platform) }
}

function ownedBy(platform: Platform, run: () => void = () => expect.unreachable()): OwnedMatches {
  return new OwnedMatches(platform, new MatchFeed(platform), run)
}

const resultOf = (matchId: string, node: string, fence: number): MatchResult => ({
  matchId,
  node,
  fence,
  winnerSeat: 0,
  scores: [5],
  endReason: null,
  finishedAt: Date.now(),
  ticks: 9,
  finalState: { any: 'state' },
  inputs: { inputs: [], changes: '' },
})

const strangers = [
  ['another node', { node: randomUUID(), fence: FENCE }],
  ['an earlier fence', { fence: FENCE - 1 }],
  ['a later fence', { fence: FENCE + 1 }],
] as const

test.for(strangers)('%s stores no result, no end and no score', async ([, claim]) => {
  await using rally = await startQuickRally()
  const { id, node: owner, read, platform, owned } = await leaveLive(rally)
  const { node, fence } = { node: owner, ...claim }
  const before = await read()

  await owned.finish(resultOf(id, node, fence))
  await ownedBy({ ...platform, node }).abort([{ id, fence }], 'failed')
  await writeScore(rally, { id, node, fence })
  expect(await read()).toEqual(before)

  // Its owner can do all of this.
  expect(await writeScore(rally, { id, node: owner, fence: FENCE })).toBe(before.version + 1)
  expect((await read()).seats).toMatchObject([{ score: 7 }])
  await owned.finish(resultOf(id, owner, FENCE))
  const after = { status: 'finished', winnerSeat: 0, ticks: 9, version: before.version + 2, seats: [{ score: 5 }] }
  expect(await read()).toMatchObject(after)
})

test('the node that runs a match ends it with its fence', async () => {
  await using rally = await startQuickRally()
  const { id, read, owned } = await leaveLive(rally)
  await owned.abort([{ id, fence: FENCE }], 'failed')
  expect(await read()).toMatchObject({ status: 'aborted', endReason: 'failed', version: 2 })
})

test.for([
  ['its node was taken for dead', 'node-lost', 'finished'],
  ['it was aborted for another reason', 'left', 'aborted'],
] as const)('a result that comes after %s', async ([, endReason, status]) => {
  await using rally = await startQuickRally()
  const { db, id, node, read, owned } = await leaveLive(rally)
  await db.match.update({ where: { id }, data: { status: 'aborted', endReason, version: 2 } })
  await owned.finish(resultOf(id, node, FENCE))
  expect(await read()).toMatchObject({ status })
  // The second time changes nothing.
  const once = await read()
  await owned.finish(resultOf(id, node, FENCE))
  expect(await read()).toEqual(once)
})

test('a match is not claimed after a countdown that was cancelled or replaced, or by a node without a lease', async () => {
  await using rally = await startQuickRally({ countdownMs: 60_000 })
  const { db } = await rally.database.open()
  const { client } = await newcomer(rally)
  const { platform } = rally.app
  const owned = ownedBy(platform)
  const { id } = await create(client, { mode: 'local' })
  const startsAt = new Date(Date.now() - 1)
  await owned.claim(id, startsAt)
  await db.match.update({ where: { id }, data: { startsAt: null } })
  await owned.claim(id, startsAt)
  // The countdown is over, but others took this node for dead.
  await db.match.update({ where: { id }, data: { startsAt } })
  await ownedBy({ ...platform, node: randomUUID() }).claim(id, startsAt)
  expect(await db.match.findUniqueOrThrow({ where: { id } })).toMatchObject({ status: 'waiting', fence: 0 })
})

test('the comparison finds every difference, in however many parts it asks', async () => {
  await using rally = await startQuickRally()
  const { db } = await rally.database.open()
  const { player } = await newcomer(rally)
  const node = randomUUID()
  await db.node.create({ data: { id: node, heartbeatAt: new Date(Date.now() + 60_000) } })
  const ids = Array.from({ length: 1_200 }, () => randomUUID())
  const startedAt = new Date(Date.now() - 60_000)
  const common = { game: 'pong', mode: 'casual', status: 'live', seed: 1, rulesVersion: 1, options: {} } as const
  await db.match.createMany({
    data: ids.map((id) => ({ id, ...common, code: id.slice(0, 6), createdBy: player.id, nodeId: node, startedAt })),
  })
  const hold = (id: string, fence = 0): Held => ({ id, fence, match: { version: 1 } })
  const find = async (held: Held[]) => {
    const found: Record<string, string> = {}
    for await (const { id, state } of ownedBy({ ...rally.app.platform, node }).compare(held)) found[id] = state
    return found
  }
  expect(await find(ids.map((id) => hold(id)))).toEqual({})

  const [ended = '', changed = '', unheld = '', stolen = '', ...rest] = ids
  await db.match.update({ where: { id: ended }, data: { status: 'aborted' } })
  await db.match.update({ where: { id: changed }, data: { version: 2 } })
  await db.match.update({ where: { id: stolen }, data: { nodeId: randomUUID() } })
  const [left = '', taken = '', ...others] = rest
  await db.seat.create({ data: { matchId: left, seat: 0, userId: player.id, displayName: 'x', leftAt: new Date() } })
  const held = [ended, changed, stolen, left, ...others].map((id) => hold(id))
  expect(await find([...held, hold(taken, 4)])).toEqual({
    [ended]: 'lost',
    [changed]: 'changed',
    [unheld]: 'missing',
    [stolen]: 'lost',
    [left]: 'changed',
    [taken]: 'lost',
  })
  // Matches that are missing are found in parts, too.
  expect(Object.values(await find([])).length).toBe(200)
})

async function writeScore(rally: Rally, { id, node, fence }: { id: string; node: string; fence: number }) {
  const versions = await ownedBy({ ...rally.app.platform, node }).writeProgress([
    { id, fence, scores: [7], spectators: 0 },
  ])
  return versions.get(id)
}
