import { describe, expect } from 'vitest'
import type { Match } from '../../src/modules/matches/types.ts'
import { encodeChange, encodeInput, encodeJsonInput, encodeKeyframe } from '../../src/protocol/live-frames.ts'
import { rallyTest } from '../support/rally-test.ts'
import { createLocal, enterLive, follow, type LiveClient, quickStart, whenLive } from './live-client.ts'

const test = rallyTest({ config: quickStart })

describe('a binary input', () => {
  let owner: LiveClient
  let matchId: string
  let stream: number

  test.beforeAll(async ({ rally, ada }) => {
    owner = await enterLive(rally.url, ada)
    const match = await createLocal(owner, 'pong', { pointsToWin: 21 })
    matchId = match.id
    const mirror = await follow(owner, matchId)
    stream = mirror.snapshot.stream ?? -1
    await whenLive(rally, owner, matchId)
  })
  test.afterAll(async () => {
    await owner.client.call('matches.leave', { matchId })
    await owner[Symbol.asyncDispose]()
  })

  test('of somebody without that seat is refused', async ({ rally, ben }) => {
    await using other = await enterLive(rally.url, ben)
    other.client.send(encodeInput(stream, 0, 0, 1))
    const of = (seat: number, match = stream) => ({ type: 'live.input', eid: `input/${match}/${seat}` })
    expect(await other.client.next()).toMatchObject({ ...of(0), error: 'NOT_SEATED' })
    owner.client.send(encodeInput(stream, 0, 2, 1))
    expect(await owner.client.next()).toMatchObject({ ...of(2), error: 'NOT_SEATED' })
    await using nobody = await enterLive(rally.url)
    nobody.client.send(encodeInput(stream, 0, 0, 1))
    expect(await nobody.client.next()).toMatchObject({ ...of(0), error: 'UNAUTHENTICATED' })
  })

  test('for a match that is not played is refused', async () => {
    owner.client.send(encodeInput(stream + 1000, 0, 0, 1))
    expect(await owner.client.next()).toMatchObject({ eid: `input/${stream + 1000}/0`, error: 'NOT_LIVE' })
  })

  test('for a match that has not begun is refused under its eid', async ({ rally, ben }) => {
    const waiting = await owner.client.call<Match>('matches.create', { game: 'pong', mode: 'casual' })
    await using watcher = await enterLive(rally.url, ben)
    const { snapshot } = await follow(watcher, waiting.id)
    for (const seat of [0, 1]) {
      watcher.client.send(encodeInput(snapshot.stream ?? -1, 5, seat, 1))
      const refused = { type: 'live.input', eid: `input/${snapshot.stream}/${seat}`, error: 'NOT_LIVE' }
      expect(await watcher.client.next()).toMatchObject(refused)
    }
    await owner.client.call('matches.leave', { matchId: waiting.id })
  })

  test('that the game does not know is refused', async () => {
    for (const frame of [
      encodeInput(stream, 0, 0, 3),
      encodeInput(stream, 0, 0, 15),
      encodeJsonInput(stream, 0, 0, { move: 2 }),
      encodeJsonInput(stream, 0, 0, 'a\u0000b'),
      encodeJsonInput(stream, 0, 0, JSON.parse('['.repeat(40) + ']'.repeat(40))),
    ]) {
      owner.client.send(frame)
      expect(await owner.client.next()).toMatchObject({ eid: `input/${stream}/0`, error: 'VALIDATION_FAILED' })
    }
  })

  test('that is no frame, or one that only the server sends, is a bad envelope', async () => {
    const good = encodeInput(stream, 0, 0, 1)
    for (const frame of [
      new Uint8Array(0),
      new Uint8Array(40).fill(255),
      good.subarray(0, good.length - 1),
      new Uint8Array([...good, 0x01]),
      encodeKeyframe(stream, 0, 1),
      encodeChange(stream, 0, 0, 1),
      new Uint8Array([...encodeJsonInput(stream, 0, 0, 1), 0xff]),
      encodeJsonInput(stream, 0, 0, { move: 0, more: 'x'.repeat(5000) }),
    ]) {
      owner.client.send(frame)
      expect(await owner.client.next()).toMatchObject({ type: 'rpc.error', error: 'BAD_ENVELOPE' })
    }
    expect((await owner.client.request('rpc.ping')).error).toBeUndefined()
  })

  test('counts against the limit of inputs, and a flood closes the socket', async ({ rally, ada }) => {
    await using flood = await enterLive(rally.url, ada)
    const frame = encodeInput(stream, 0, 0, 1)
    const frames = 120 + 1000 + 200
    for (let count = 0; count < frames; count++) flood.client.send(frame)
    const refused = await flood.client.next(({ error }) => error === 'RATE_LIMITED')
    expect(refused).toMatchObject({ type: 'live.input', eid: `input/${stream}/0` })
    expect(await flood.client.closed).toMatchObject({ code: 4029 })
  })

  test('random bytes never stop the server', async ({ rally, ada }) => {
    await using rubbish = await enterLive(rally.url, ada)
    for (let count = 0; count < 150; count++) {
      const bytes = Uint8Array.from({ length: Math.floor(Math.random() * 12) }, () => Math.random() * 256)
      rubbish.client.send(bytes)
    }
    expect((await rubbish.client.request('rpc.ping')).type).toBe('rpc.ping')
    expect(rubbish.client.inbox.drain().filter(({ error }) => error === 'INTERNAL')).toEqual([])
    expect(rally.app.platform.engine.get(matchId)?.isOver).toBe(false)
  })
})
