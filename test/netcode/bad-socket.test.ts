import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { createClient } from '../../src/client/index.ts'
import { createBadNetwork, type NetworkFaults } from '../../src/client/play/index.ts'
import { startRig } from '../support/rig.ts'

type RigApi = {
  readonly t: {
    readonly echo: { kind: 'method'; input: { value: unknown }; output: { value: unknown }; errors: never }
  }
}

async function connected(faults: Partial<NetworkFaults>) {
  const rig = await startRig()
  onTestFinished(() => rig.stop())
  const network = createBadNetwork(faults, (url, protocol) => new WebSocket(url, protocol))
  const rally = createClient<RigApi>({
    url: rig.url,
    createSocket: network.createSocket,
    backoff: { minMs: 1, maxMs: 5 },
  })
  onTestFinished(() => rally.close())
  await rally.t.echo({ value: 'first' })
  const took = async (value: unknown) => {
    const at = performance.now()
    expect(await rally.t.echo({ value })).toEqual({ value })
    return performance.now() - at
  }
  return { network, rally, took }
}

describe('a bad network on the client’s side', () => {
  test('delays both ways, keeps order, and can be changed and turned off at run time', async () => {
    const { network, rally, took } = await connected({ latencyMs: 40 })
    expect(await took(1)).toBeGreaterThan(79)
    network.set({ latencyMs: 0, jitterMs: 60 })
    const order: unknown[] = []
    await Promise.all(Array.from({ length: 50 }, async (_, value) => order.push((await rally.t.echo({ value })).value)))
    expect(order).toEqual(Array.from({ length: 50 }, (_, value) => value))
    // Something moves in one of 60 ms: what is sent waits for it.
    network.set({ jitterMs: 0, stallEveryMs: 60, stallMs: 59 })
    const at = performance.now()
    for (let value = 0; value < 5; value++) await took(value)
    // At least one of them has waited. A timer that is late may let others pass in the one millisecond.
    expect(performance.now() - at).toBeGreaterThan(58)
    network.set({ stallEveryMs: 0 })
    expect(network.faults).toEqual({ latencyMs: 0, jitterMs: 0, stallEveryMs: 0, stallMs: 59 })
    await took('after')
  })

  test('cuts, and the client comes back', async () => {
    const { network, rally, took } = await connected({ latencyMs: 5 })
    const statuses: string[] = []
    rally.on('status', (status) => statuses.push(status))
    const waiting = took('through the cut')
    network.cut()
    expect(statuses).toEqual(['reconnecting'])
    await waiting
    expect(statuses).toEqual(['reconnecting', 'open'])
  })

  test('closes for good', async () => {
    const { rally } = await connected({ latencyMs: 5 })
    rally.close()
    expect(rally.status).toBe('closed')
  })
})
