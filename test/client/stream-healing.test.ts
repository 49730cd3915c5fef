import { describe, expect } from 'vitest'
import type { FakeServer, FakeSocket } from './fake-server.ts'
import { CHANNEL, connect, followThing, recorder, test, until } from './support.ts'

const LOG = { channel: 'things.onLog/r', delivery: 'reliable' }

/** Opens a log at 3, then cuts the connection; gives the socket on which the client comes back. */
async function cutLog(server: FakeServer, record: ReturnType<typeof recorder<unknown>>): Promise<FakeSocket> {
  const socket = await server.nextSocket()
  socket.answer(await socket.next('things.onLog'), { ...LOG, seq: 3, snapshot: { lines: [] } })
  await record.count(1)
  socket.ws.terminate()
  return server.nextSocket()
}

describe('subscriptions', () => {
  test('come back after a cut with what was missed, and say so', async ({ server, rally }) => {
    server.on('things.onLog', ({ data }) => {
      const since = (data as { since?: number }).since
      const opening = { channel: 'things.onLog/r', delivery: 'reliable', seq: since === undefined ? 3 : 5 }
      return since === undefined
        ? { data: { ...opening, snapshot: { lines: ['1', '2', '3'] } } }
        : { data: { ...opening, missed: [4, 5].map((seq) => ({ seq, data: { line: `${seq}` } })) } }
    })
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

  test('give a late listener everything when the others were given what they missed', async ({ server, rally }) => {
    const first = recorder<unknown>()
    const late = recorder<unknown>()
    rally.things.onLog({ room: 'r' }, first.listener)
    const after = await cutLog(server, first)
    const again = await after.next('things.onLog')
    rally.things.onLog({ room: 'r' }, late.listener)
    after.answer(again, { ...LOG, seq: 4, missed: [{ seq: 4, data: { line: '4' } }] })
    const fresh = await after.next('things.onLog')
    expect(fresh.data).toEqual({ room: 'r' })
    after.answer(fresh, { ...LOG, seq: 4, snapshot: { lines: ['4'] } })
    await late.count(1)
    expect(first.seen).toEqual(['snapshot:3', 'missed:4'])
    expect(late.seen).toEqual(['snapshot:4'])
  })

  test('say when a log no longer goes back far enough', async ({ server, rally }) => {
    const record = recorder<unknown>()
    rally.things.onLog({ room: 'r' }, record.listener)
    const after = await cutLog(server, record)
    after.answer(await after.next('things.onLog'), { ...LOG, seq: 900, snapshot: { lines: [] }, gap: true })
    await record.count(2)
    expect(record.values[1]?.info).toEqual({ kind: 'snapshot', seq: 900, gap: true })
    expect(record.healed).toEqual(['snapshot'])
  })

  test('notice a gap in a reliable stream and heal it on the same connection', async ({ server, rally }) => {
    const { place, record, socket } = await followThing({ server, rally })
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

  test('let `latest` streams jump', async ({ server, rally }) => {
    const { record, socket } = await followThing({ server, rally }, 'latest')
    for (const seq of [7, 6, 12]) socket.event(CHANNEL, seq, { name: `${seq}` })
    await record.count(3)
    expect(record.seen).toEqual(['snapshot:5', 'event:7', 'event:12'])
    expect(socket.count('things.onThing')).toBe(1)
  })

  test.for(['gap', 'behind'])(
    'open again by themselves when the server ends them for `%s`',
    async (reason, { server, rally }) => {
      const { place, record, socket } = await followThing({ server, rally })
      place.seq = 9
      socket.end(CHANNEL, reason)
      await record.count(2)
      expect(record.seen).toEqual(['snapshot:5', 'snapshot:9'])
      expect(record.ends).toEqual([])
      expect(socket.count('rpc.unsubscribe')).toBe(0)
    },
  )

  test('start anew for another user', async ({ server }) => {
    server.user = { id: 'u1', username: 'ana' }
    const { record, socket: first } = await followThing({ server, rally: connect(server) })
    server.user = { id: 'u2', username: 'ben' }
    first.ws.close(4501)
    const second = await server.nextSocket()
    await record.count(2)
    expect(second.inbox('things.onThing').all[0]?.data).toEqual({ id: '1' })
    expect(record.seen).toEqual(['snapshot:5', 'snapshot:5'])
    expect(record.healed).toEqual([])
  })

  test('lose, double and swap nothing over many cuts', async ({ server, rally }) => {
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
