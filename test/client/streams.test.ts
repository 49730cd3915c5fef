import { describe, expect, test } from 'vitest'
import type { ClientMessage } from '../../src/protocol/index.ts'
import type { FakeServer, FakeSocket } from './fake-server.ts'
import { connect, type Named, once, recorder, startServer, until } from './support.ts'

const CHANNEL = 'things.onThing/1'

/** Opens every `things.onThing` at `place.seq`, as a state stream does. */
function serveState(server: FakeServer, place = { seq: 5 }, delivery: 'reliable' | 'latest' = 'reliable') {
  server.on('things.onThing', () => ({
    data: { channel: CHANNEL, seq: place.seq, delivery, snapshot: { name: `at ${place.seq}` } },
  }))
  return place
}

function answerOpening(socket: FakeSocket, message: ClientMessage, opening: object) {
  socket.answer(message, { channel: CHANNEL, delivery: 'reliable', ...opening })
}

describe('subscriptions', () => {
  test('give the snapshot, then the events in order', async () => {
    const server = await startServer()
    serveState(server)
    const rally = connect(server)
    const record = recorder<Named>()
    rally.things.onThing({ id: '1' }, record.listener)
    await record.count(1)
    const [socket] = server.sockets
    socket?.event(CHANNEL, 6, { name: 'six' })
    socket?.event(CHANNEL, 7, { name: 'seven' })
    socket?.event(CHANNEL, 7, { name: 'seven again' })
    socket?.event('things.onThing/2', 8, { name: 'of another' })
    socket?.event(CHANNEL, 8, { name: 'eight' })
    await record.count(4)
    expect(record.seen).toEqual(['snapshot:5', 'event:6', 'event:7', 'event:8'])
    expect(record.values.map(({ value }) => value.name)).toEqual(['at 5', 'six', 'seven', 'eight'])
  })

  test('give snapshots to `snapshot` where there is one', async () => {
    const server = await startServer()
    serveState(server)
    const rally = connect(server)
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

  test('are shared by listeners of the same input, and left by the last', async () => {
    const server = await startServer()
    serveState(server)
    const rally = connect(server)
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

  test('open anew for a late listener once events have come, and double nothing for the others', async () => {
    const server = await startServer()
    const place = serveState(server)
    const rally = connect(server)
    const first = recorder<Named>()
    rally.things.onThing({ id: '1' }, first.listener)
    const socket = await server.nextSocket()
    await first.count(1)
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

  test('that stop before they are open are left when they are', async () => {
    const server = await startServer()
    const rally = connect(server)
    const record = recorder<Named>()
    const stop = rally.things.onThing({ id: '1' }, record.listener)
    const socket = await server.nextSocket()
    const opening = await socket.next('things.onThing')
    stop()
    answerOpening(socket, opening, { seq: 5, snapshot: { name: 'five' } })
    expect((await socket.next('rpc.unsubscribe')).data).toEqual({ channel: CHANNEL })
    expect(record.seen).toEqual([])
  })

  test('of two inputs with one channel leave it only together', async () => {
    const server = await startServer()
    const rally = connect(server)
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

  test('come back after a cut with what was missed, and say so', async () => {
    const server = await startServer()
    server.on('things.onLog', ({ data }) => {
      const since = (data as { since?: number }).since
      const opening = { channel: 'things.onLog/r', delivery: 'reliable', seq: since === undefined ? 3 : 5 }
      return since === undefined
        ? { data: { ...opening, snapshot: { lines: ['1', '2', '3'] } } }
        : { data: { ...opening, missed: [4, 5].map((seq) => ({ seq, data: { line: `${seq}` } })) } }
    })
    const rally = connect(server)
    const record = recorder<unknown>()
    rally.things.onLog({ room: 'r' }, record.listener)
    const first = await server.nextSocket()
    await record.count(1)
    first.ws.terminate()
    const second = await server.nextSocket()
    await record.count(3)
    second.event('things.onLog/r', 5, { line: '5' })
    second.event('things.onLog/r', 6, { line: '6' })
    await record.count(4)
    expect(record.seen).toEqual(['snapshot:3', 'missed:4', 'missed:5', 'event:6'])
    expect(record.healed).toEqual(['missed'])
    expect(second.inbox('things.onLog').all[0]?.data).toEqual({ room: 'r', since: 3 })
  })

  test('give a late listener everything when the others were given what they missed', async () => {
    const server = await startServer()
    const rally = connect(server)
    const first = recorder<unknown>()
    const late = recorder<unknown>()
    rally.things.onLog({ room: 'r' }, first.listener)
    const before = await server.nextSocket()
    const log = { channel: 'things.onLog/r', delivery: 'reliable' }
    before.answer(await before.next('things.onLog'), { ...log, seq: 3, snapshot: { lines: [] } })
    await first.count(1)
    before.ws.terminate()
    const after = await server.nextSocket()
    const again = await after.next('things.onLog')
    rally.things.onLog({ room: 'r' }, late.listener)
    after.answer(again, { ...log, seq: 4, missed: [{ seq: 4, data: { line: '4' } }] })
    const fresh = await after.next('things.onLog')
    expect(fresh.data).toEqual({ room: 'r' })
    after.answer(fresh, { ...log, seq: 4, snapshot: { lines: ['4'] } })
    await late.count(1)
    expect(first.seen).toEqual(['snapshot:3', 'missed:4'])
    expect(late.seen).toEqual(['snapshot:4'])
  })

  test('say when a log no longer goes back far enough', async () => {
    const server = await startServer()
    const rally = connect(server)
    const record = recorder<unknown>()
    rally.things.onLog({ room: 'r' }, record.listener)
    const before = await server.nextSocket()
    const log = { channel: 'things.onLog/r', delivery: 'reliable' }
    before.answer(await before.next('things.onLog'), { ...log, seq: 3, snapshot: { lines: [] } })
    await record.count(1)
    before.ws.terminate()
    const after = await server.nextSocket()
    after.answer(await after.next('things.onLog'), { ...log, seq: 900, snapshot: { lines: [] }, gap: true })
    await record.count(2)
    expect(record.values[1]?.info).toEqual({ kind: 'snapshot', seq: 900, gap: true })
    expect(record.healed).toEqual(['snapshot'])
  })

  test('notice a gap in a reliable stream and heal it on the same connection', async () => {
    const server = await startServer()
    const place = serveState(server)
    const rally = connect(server)
    const record = recorder<Named>()
    rally.things.onThing({ id: '1' }, record.listener)
    const socket = await server.nextSocket()
    await record.count(1)
    place.seq = 9
    socket.event(CHANNEL, 8, { name: 'eight, without six and seven' })
    socket.event(CHANNEL, 9, { name: 'nine' })
    await record.count(2)
    socket.event(CHANNEL, 10, { name: 'ten' })
    await record.count(3)
    expect(record.seen).toEqual(['snapshot:5', 'snapshot:9', 'event:10'])
    expect(record.healed).toEqual(['snapshot'])
    expect(server.sockets).toHaveLength(1)
  })

  test('let `latest` streams jump', async () => {
    const server = await startServer()
    serveState(server, { seq: 5 }, 'latest')
    const rally = connect(server)
    const record = recorder<Named>()
    rally.things.onThing({ id: '1' }, record.listener)
    const socket = await server.nextSocket()
    await record.count(1)
    for (const seq of [7, 6, 12]) socket.event(CHANNEL, seq, { name: `${seq}` })
    await record.count(3)
    expect(record.seen).toEqual(['snapshot:5', 'event:7', 'event:12'])
    expect(socket.count('things.onThing')).toBe(1)
  })

  test.each(['gap', 'behind'])('open again by themselves when the server ends them for `%s`', async (reason) => {
    const server = await startServer()
    const place = serveState(server)
    const rally = connect(server)
    const record = recorder<Named>()
    rally.things.onThing({ id: '1' }, record.listener)
    const socket = await server.nextSocket()
    await record.count(1)
    place.seq = 9
    socket.end(CHANNEL, reason)
    await record.count(2)
    expect(record.seen).toEqual(['snapshot:5', 'snapshot:9'])
    expect(record.ends).toEqual([])
    expect(socket.count('rpc.unsubscribe')).toBe(0)
  })

  test('are over when the server ends them for another reason', async () => {
    const server = await startServer()
    serveState(server)
    const rally = connect(server)
    const record = recorder<Named>()
    rally.things.onThing({ id: '1' }, record.listener)
    const { listener, ...withoutEnd } = recorder<Named>()
    rally.things.onThing({ id: '1' }, { next: listener.next, error: listener.error })
    const socket = await server.nextSocket()
    await record.count(1)
    socket.end(CHANNEL, 'deleted')
    await record.until(() => record.ends.length > 0)
    expect(record.ends).toEqual(['deleted'])
    expect(record.errors).toEqual([])
    expect(withoutEnd.errors).toEqual(['STREAM_CLOSED'])
    socket.event(CHANNEL, 6, { name: 'six' })
    await rally.things.list.try({}, { timeoutMs: 20 })
    expect(record.seen).toEqual(['snapshot:5'])
  })

  test('that cannot be opened say why, once', async () => {
    const server = await startServer()
    server.on('things.onThing', () => ({ error: 'NOT_FOUND', data: { message: 'no such thing' } }))
    const rally = connect(server)
    const record = recorder<Named>()
    rally.things.onThing({ id: '1' }, record.listener)
    await record.until(() => record.errors.length > 0)
    expect(record.errors).toEqual(['NOT_FOUND'])
    const told = once(rally, 'error')
    rally.things.onThing({ id: '2' }, { next: () => {} })
    expect(await told).toMatchObject({ code: 'NOT_FOUND', type: 'things.onThing' })
    expect(server.received('things.onThing')).toHaveLength(2)
  })

  test('are tried again for as long as the error is temporary', async () => {
    const server = await startServer()
    const rally = connect(server)
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

  test('start anew for another user', async () => {
    const server = await startServer()
    serveState(server)
    server.user = { id: 'u1', username: 'ana' }
    const rally = connect(server)
    const record = recorder<Named>()
    rally.things.onThing({ id: '1' }, record.listener)
    const first = await server.nextSocket()
    await record.count(1)
    server.user = { id: 'u2', username: 'ben' }
    first.ws.close(4501)
    const second = await server.nextSocket()
    await record.count(2)
    expect(second.inbox('things.onThing').all[0]?.data).toEqual({ id: '1' })
    expect(record.seen).toEqual(['snapshot:5', 'snapshot:5'])
    expect(record.healed).toEqual([])
  })

  test('end when the client closes', async () => {
    const server = await startServer()
    serveState(server)
    const rally = connect(server)
    const record = recorder<Named>()
    rally.things.onThing({ id: '1' }, record.listener)
    await record.count(1)
    rally.close()
    expect(record.ends).toEqual(['closed'])
    const after = recorder<Named>()
    rally.things.onThing({ id: '1' }, after.listener)
    await after.until(() => after.ends.length > 0)
    expect(after.ends).toEqual(['closed'])
  })

  test('carry on with the other listeners when one throws', async () => {
    const server = await startServer()
    serveState(server)
    const rally = connect(server)
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

  test('lose, double and swap nothing over many cuts', async () => {
    const server = await startServer()
    // A log of the server: what a subscriber missed is read from it, the rest is fanned out.
    let seq = 0
    const CAP = 1000
    server.on('things.onLog', ({ data }, socket) => {
      const since = (data as { since?: number }).since
      following.add(socket)
      const opening = { channel: 'things.onLog/r', delivery: 'reliable', seq }
      if (since === undefined || seq - since > CAP) return { data: { ...opening, snapshot: { lines: [] } } }
      const missed = Array.from({ length: seq - since }, (_, index) => ({ seq: since + index + 1, data: {} }))
      return { data: { ...opening, missed } }
    })
    const following = new Set<FakeSocket>()
    const publish = () => {
      seq++
      for (const socket of following) if (socket.ws.readyState === 1) socket.event('things.onLog/r', seq, {})
    }
    const rally = connect(server)
    const record = recorder<unknown>()
    rally.things.onLog({ room: 'r' }, record.listener)
    await record.count(1)
    for (let cut = 0; cut < 40; cut++) {
      const socket = server.sockets.at(-1)
      for (let i = 0; i < 7; i++) publish()
      if (cut % 2 === 0) await record.until(() => (record.values.at(-1)?.info.seq ?? 0) === seq)
      socket?.ws.terminate()
      for (let i = 0; i < 3; i++) publish()
      await until(rally, 'reconnecting')
      await until(rally, 'open')
    }
    await record.until(() => (record.values.at(-1)?.info.seq ?? 0) === seq)
    const seen = record.values.filter(({ info }) => info.kind !== 'snapshot').map(({ info }) => info.seq)
    expect(seen).toEqual(Array.from({ length: 400 }, (_, index) => index + 1))
  })
})
