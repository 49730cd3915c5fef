import { describe, expect } from 'vitest'
import type { ClientMessage } from '../../src/protocol/index.ts'
import type { FakeSocket } from './fake-server.ts'
import { CHANNEL, followThing, type Named, once, recorder, serveState, test } from './support.ts'

function answerOpening(socket: FakeSocket, message: ClientMessage, opening: object) {
  socket.answer(message, { channel: CHANNEL, delivery: 'reliable', ...opening })
}

describe('subscriptions', () => {
  test('give the snapshot, then the events in order', async ({ server, rally }) => {
    const { record, socket } = await followThing({ server, rally })
    socket.event(CHANNEL, 6, { name: 'six' })
    socket.event(CHANNEL, 7, { name: 'seven' })
    socket.event(CHANNEL, 7, { name: 'seven again' })
    socket.event('things.onThing/2', 8, { name: 'of another' })
    socket.event(CHANNEL, 8, { name: 'eight' })
    await record.count(4)
    expect(record.seen).toEqual(['snapshot:5', 'event:6', 'event:7', 'event:8'])
    expect(record.values.map(({ value }) => value.name)).toEqual(['at 5', 'six', 'seven', 'eight'])
  })

  test('give snapshots to `snapshot` where there is one', async ({ server, rally }) => {
    serveState(server)
    const record = recorder<Named>()
    const snapshots: string[] = []
    rally.things.onThing({ id: '1' }, { ...record.listener, snapshot: ({ name }) => snapshots.push(name) })
    const socket = await server.nextSocket()
    await socket.next('things.onThing')
    socket.event(CHANNEL, 6, { name: 'six' })
    await record.count(1)
    expect(snapshots).toEqual(['at 5'])
    expect(record.seen).toEqual(['event:6'])
  })

  test('are shared by listeners of the same input, and left by the last', async ({ server, rally }) => {
    serveState(server)
    const one = recorder<Named>()
    const two = recorder<Named>()
    const late = recorder<Named>()
    const stopOne = rally.things.onThing({ id: '1' }, one.listener)
    const stopTwo = rally.things.onThing({ id: '1' }, two.listener)
    await Promise.all([one.count(1), two.count(1)])
    const stopLate = rally.things.onThing({ id: '1' }, late.listener)
    await late.count(1)
    const socket = await server.nextSocket()
    expect(socket.count('things.onThing')).toBe(1)
    expect(late.seen).toEqual(['snapshot:5'])

    stopOne()
    stopTwo()
    socket.event(CHANNEL, 6, { name: 'six' })
    await late.count(2)
    expect(socket.count('rpc.unsubscribe')).toBe(0)
    expect(one.seen).toEqual(['snapshot:5'])
    stopLate()
    stopLate()
    expect((await socket.next('rpc.unsubscribe')).data).toEqual({ channel: CHANNEL })
  })

  test('open anew for a late listener once events have come, and double nothing for the others', async ({
    server,
    rally,
  }) => {
    const { place, record: first, socket } = await followThing({ server, rally })
    socket.event(CHANNEL, 6, { name: 'six' })
    await first.count(2)
    // The row is ahead of its event, which is still on its way to those who listened before.
    place.seq = 7
    const late = recorder<Named>()
    rally.things.onThing({ id: '1' }, late.listener)
    await late.count(1)
    socket.event(CHANNEL, 7, { name: 'seven' })
    socket.event(CHANNEL, 8, { name: 'eight' })
    await Promise.all([first.count(4), late.count(2)])
    expect(first.seen).toEqual(['snapshot:5', 'event:6', 'event:7', 'event:8'])
    expect(late.seen).toEqual(['snapshot:7', 'event:8'])
    expect(socket.inbox('things.onThing').all.map(({ data }) => data)).toEqual([{ id: '1' }, { id: '1' }])
  })

  test('that are stopped before they are open are unsubscribed once they are open', async ({ server, rally }) => {
    const record = recorder<Named>()
    const stop = rally.things.onThing({ id: '1' }, record.listener)
    const socket = await server.nextSocket()
    const opening = await socket.next('things.onThing')
    stop()
    answerOpening(socket, opening, { seq: 5, snapshot: { name: 'five' } })
    expect((await socket.next('rpc.unsubscribe')).data).toEqual({ channel: CHANNEL })
    expect(record.seen).toEqual([])
  })

  test('of two inputs with one channel leave it only together', async ({ server, rally }) => {
    const one = recorder<Named>()
    const two = recorder<Named>()
    const stopOne = rally.things.onThing({ id: '1' }, one.listener)
    const socket = await server.nextSocket()
    answerOpening(socket, await socket.next('things.onThing'), { seq: 5, snapshot: { name: 'five' } })
    await one.count(1)
    const stopTwo = rally.things.onThing({ id: '01' }, two.listener)
    const opening = await socket.next('things.onThing')
    // The server may have joined the second already: leaving now would take it along.
    stopOne()
    await rally.things.list.try({}, { timeoutMs: 20 })
    expect(socket.count('rpc.unsubscribe')).toBe(0)
    answerOpening(socket, opening, { seq: 5, snapshot: { name: 'five' } })
    await two.count(1)
    socket.event(CHANNEL, 6, { name: 'six' })
    await two.count(2)
    expect(socket.count('rpc.unsubscribe')).toBe(0)
    expect(one.seen).toEqual(['snapshot:5'])
    stopTwo()
    expect((await socket.next('rpc.unsubscribe')).data).toEqual({ channel: CHANNEL })
  })

  test('are over when the server ends them for another reason', async ({ server, rally }) => {
    const { record, socket } = await followThing({ server, rally })
    const { listener, ...withoutEnd } = recorder<Named>()
    rally.things.onThing({ id: '1' }, { next: listener.next, error: listener.error })
    socket.end(CHANNEL, 'deleted')
    await record.until(() => record.ends.length > 0)
    expect(record.ends).toEqual(['deleted'])
    expect(record.errors).toEqual([])
    expect(withoutEnd.errors).toEqual(['STREAM_CLOSED'])
    socket.event(CHANNEL, 6, { name: 'six' })
    await rally.things.list.try({}, { timeoutMs: 20 })
    expect(record.seen).toEqual(['snapshot:5'])
  })

  test('that cannot be opened say why, once', async ({ server, rally }) => {
    server.on('things.onThing', () => ({ error: 'NOT_FOUND', data: { message: 'no such thing' } }))
    const record = recorder<Named>()
    rally.things.onThing({ id: '1' }, record.listener)
    await record.until(() => record.errors.length > 0)
    expect(record.errors).toEqual(['NOT_FOUND'])
    const told = once(rally, 'error')
    rally.things.onThing({ id: '2' }, { next: () => {} })
    expect(await told).toMatchObject({ code: 'NOT_FOUND', type: 'things.onThing' })
    expect(server.received('things.onThing')).toHaveLength(2)
  })

  test('are tried again for as long as the error is temporary', async ({ server, rally }) => {
    let refusals = 3
    server.on('things.onThing', () =>
      refusals-- > 0
        ? { error: 'RATE_LIMITED', data: { message: 'slow down', retryAfterMs: 5 } }
        : { data: { channel: CHANNEL, seq: 1, delivery: 'reliable', snapshot: { name: 'one' } } },
    )
    const record = recorder<Named>()
    rally.things.onThing({ id: '1' }, record.listener)
    await record.count(1)
    expect(record.errors).toEqual([])
    expect(server.received('things.onThing')).toHaveLength(4)
  })

  test('end when the client closes', async ({ server, rally }) => {
    const { record } = await followThing({ server, rally })
    rally.close()
    expect(record.ends).toEqual(['closed'])
    const after = recorder<Named>()
    rally.things.onThing({ id: '1' }, after.listener)
    await after.until(() => after.ends.length > 0)
    expect(after.ends).toEqual(['closed'])
  })

  test('carry on with the other listeners when one throws', async ({ server, rally }) => {
    serveState(server)
    const reported: unknown[] = []
    Object.defineProperty(globalThis, 'reportError', {
      value: (error: unknown) => reported.push(error),
      configurable: true,
    })
    try {
      rally.things.onThing(
        { id: '1' },
        {
          next() {
            throw new Error('mine')
          },
        },
      )
      const record = recorder<Named>()
      rally.things.onThing({ id: '1' }, record.listener)
      await record.count(1)
      expect(reported).toEqual([new Error('mine')])
    } finally {
      Reflect.deleteProperty(globalThis, 'reportError')
    }
  })
})
