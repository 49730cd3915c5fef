import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { createClient, type Rally } from '../../src/client/index.ts'
import { type Rig, type RigOptions, startRig } from '../support/rig.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { recorder } from './support.ts'

/** What of the rig's module these tests use. */
type RigApi = {
  readonly t: {
    readonly count: { kind: 'method'; input: { fail?: boolean }; output: { count: number }; errors: 'NOT_FOUND' }
    readonly echo: { kind: 'method'; input: { value: unknown }; output: { value: unknown }; errors: never }
    readonly onLog: {
      kind: 'subscription'
      input: { key: string; slow?: boolean }
      snapshot: { count: number }
      event: { n: number }
      errors: never
    }
    readonly onFrame: {
      kind: 'subscription'
      input: object
      snapshot: { n: number }
      event: { n: number }
      errors: never
    }
  }
}

async function rigFor(options: RigOptions = {}): Promise<Rig> {
  const rig = await startRig(options)
  onTestFinished(() => rig.stop())
  return rig
}

async function proxyFor(rig: Rig) {
  const proxy = await startTcpProxy(rig.port)
  onTestFinished(() => proxy.close())
  return proxy
}

function clientOf(url: string, cookie = ''): Rally<RigApi> {
  const rally = createClient<RigApi>({
    url,
    backoff: { minMs: 5, maxMs: 20 },
    createSocket: (address, protocol) => new WebSocket(address, protocol, { headers: { cookie } }),
  })
  onTestFinished(() => rally.close())
  return rally
}

/** Numbers that look random and are the same in every run (Park and Miller's generator). */
function randoms(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

describe('against the real server', () => {
  test('200 cuts lose, double and swap no event, and execute every write once', async () => {
    const CLIENTS = 4
    const CUTS = 200
    const rig = await rigFor({ limits: { socketsPerIp: 1000, requestsPerSecond: 10_000, requestsBurst: 10_000 } })
    const proxy = await proxyFor(rig)
    const random = randoms(7)
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, async (_, index) => clientOf(proxy.url, await rig.cookieOf(`user${index}`))),
    )
    const logs = clients.map((rally) => {
      const log = recorder<{ n: number } | { count: number }>()
      rally.t.onLog({ key: 'shared', slow: true }, log.listener)
      return log
    })
    await Promise.all(logs.map((log) => log.count(1)))
    let reconnects = 0
    for (const rally of clients) rally.on('welcome', () => reconnects++)

    const writes: Promise<{ count: number }>[] = []
    for (let cut = 0; cut < CUTS; cut++) {
      for (const rally of clients) {
        writes.push(rally.t.count({}))
        rig.world.append('shared')
      }
      // Somewhere between the sending, the execution and the answer.
      for (let turns = Math.floor(random() * 12); turns > 0; turns--) await new Promise(setImmediate)
      proxy.cut()
      rig.world.append('shared')
      if (random() < 0.3) await Promise.all(clients.map((rally) => rally.t.echo({ value: cut })))
    }
    const counts = (await Promise.all(writes)).map(({ count }) => count)
    expect(rig.world.count).toBe(CLIENTS * CUTS)
    expect(new Set(counts).size).toBe(CLIENTS * CUTS)

    const last = CUTS * (CLIENTS + 1)
    for (const log of logs) {
      await log.until(() => log.values.at(-1)?.info.seq === last)
      const seen = log.values.filter(({ info }) => info.kind !== 'snapshot')
      expect(seen.map(({ info }) => info.seq)).toEqual(Array.from({ length: last }, (_, index) => index + 1))
      expect(seen.map(({ value }) => 'n' in value && value.n)).toEqual(seen.map(({ info }) => info.seq))
    }
    expect(reconnects).toBeGreaterThan(CUTS)
    expect(rig.errors).toEqual([])
  }, 60_000)

  test('a client moves to the next node when its own leaves', async () => {
    const leaving = await startRig()
    const next = await rigFor()
    const proxy = await proxyFor(leaving)
    const rally = clientOf(proxy.url, await leaving.cookieOf('ana'))
    expect(await rally.t.echo({ value: 1 })).toEqual({ value: 1 })
    proxy.leadTo(next.port)
    const stopped = leaving.stop()
    expect(await rally.t.echo({ value: 2 })).toEqual({ value: 2 })
    await stopped
  })

  test('a connection that is only half there is given up, and its place taken up by another', async () => {
    const rig = await rigFor({ config: { heartbeatMs: 200 } })
    const proxy = await proxyFor(rig)
    const rally = clientOf(proxy.url)
    const log = recorder<{ n: number } | { count: number }>()
    rally.t.onLog({ key: 'a' }, log.listener)
    await log.count(1)
    rig.world.append('a')
    await log.count(2)
    proxy.stall()
    rig.world.append('a')
    rig.world.append('a')
    await log.count(4)
    expect(log.seen).toEqual(['snapshot:0', 'event:1', 'missed:2', 'missed:3'])
    expect(log.healed).toEqual(['missed'])
  })

  test('streams say what they deliver', async () => {
    const rig = await rigFor()
    const rally = clientOf(rig.url)
    const frames = recorder<{ n: number }>()
    rally.t.onFrame({}, frames.listener)
    await frames.count(1)
    rig.world.show()
    await frames.count(2)
    expect(frames.seen).toEqual(['snapshot:0', 'event:1'])
  })
})
