import { describe, expect, test } from 'vitest'
import { FairQueue } from '../../src/modules/auth/limits/fair-queue.ts'

const bounds = { atOnce: 2, maxWaiting: 20, maxWaitingPerGroup: 10, maxWaitMs: 60_000 }

/** Work that lasts until it is told to end, in the order in which it began. */
function workshop(turns: FairQueue) {
  const began: string[] = []
  const ends: (() => void)[] = []
  const settled: Promise<unknown>[] = []
  return {
    began,
    settled,
    ask(group: string): Promise<void> {
      const done = turns.run(group, async () => {
        began.push(group)
        await new Promise<void>((resolve) => ends.push(resolve))
      })
      settled.push(done.catch(() => undefined))
      return done
    },
    async endNext(): Promise<void> {
      ends.shift()?.()
      await new Promise(setImmediate)
    },
  }
}

describe('the fair queue', () => {
  test('runs so many at once, and takes from the waiting groups in turn', async () => {
    const turns = new FairQueue(bounds)
    const { ask, began, endNext } = workshop(turns)
    for (const group of ['a', 'a', 'a', 'a', 'a', 'b', 'b', 'c']) void ask(group)
    expect(began).toEqual(['a', 'a'])
    expect([turns.length, turns.waits.sum]).toEqual([6, 0])
    for (let count = 0; count < 6; count++) await endNext()
    expect(turns.length).toBe(0)
    expect(turns.waits.counts.reduce((sum, count) => sum + count)).toBe(8)
    expect(turns.waits.sum).toBeGreaterThan(0)
    expect(began.slice(2)).toEqual(['a', 'b', 'c', 'a', 'b', 'a'])
  })

  test('serves a group that has asked for little first', async () => {
    const { ask, began, endNext } = workshop(new FairQueue({ ...bounds, atOnce: 1 }))
    for (let count = 0; count < 8; count++) void ask('greedy')
    void ask('modest')
    for (let count = 0; count < 8; count++) await endNext()
    expect(began).toEqual([...Array(2).fill('greedy'), 'modest', ...Array(6).fill('greedy')])
  })

  test('refuses a group of which too much waits, and lets others wait', async () => {
    const { ask, settled, endNext } = workshop(new FairQueue(bounds))
    for (let count = 0; count < 12; count++) void ask('a')
    await expect(ask('a')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1000 })
    for (let count = 0; count < 10; count++) void ask('b')
    await expect(ask('c')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    for (let count = 0; count < 22; count++) await endNext()
    await Promise.all(settled)
  })

  test('goes on with the next work when one fails, and is free again when nothing waits', async () => {
    const turns = new FairQueue({ ...bounds, atOnce: 1 })
    const failing = turns.run('a', () => Promise.reject(new Error('failed')))
    const waiting = turns.run('b', async () => 'done')
    await expect(failing).rejects.toThrow('failed')
    expect(await waiting).toBe('done')
    expect(await turns.run('a', async () => 'again')).toBe('again')
  })

  test('refuses work that has waited too long, because its client has gone', async () => {
    const turns = new FairQueue({ ...bounds, atOnce: 1, maxWaitMs: -1 })
    const { ask, began, endNext } = workshop(turns)
    void ask('a')
    const late = expect(ask('b')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await endNext()
    await late
    expect(began).toEqual(['a'])
    expect(await turns.run('c', async () => 'done')).toBe('done')
  })
})
