import { expect, test, vi } from 'vitest'
import { Clock, localNow } from '../../src/client/clock.ts'
import { connect, startServer, until } from './support.ts'

/** A clock whose local time the test tells. */
function clockAt() {
  let local = localNow()
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => local - performance.timeOrigin)
  const clock = new Clock()
  return {
    clock,
    stop: () => spy.mockRestore(),
    pass(ms: number) {
      local += ms
    },
    /** A ping with these delays to a server whose clock is `aheadMs` ahead. */
    ping(upMs: number, downMs: number, aheadMs: number) {
      const sentAt = local
      const serverMs = Math.floor(sentAt + upMs + aheadMs)
      local += upMs + downMs
      clock.add(sentAt, serverMs)
    },
    get error() {
      return (aheadMs: number) => Math.abs(clock.now() - (local + aheadMs))
    },
  }
}

test('knows nothing before the first answer', () => {
  const clock = new Clock()
  expect(clock.uncertaintyMs).toBe(Infinity)
  expect([clock.offsetMs, clock.rttMs, clock.jitterMs]).toEqual([0, 0, 0])
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(50)
})

test('is never further off than it says, also when one direction is slower', () => {
  const time = clockAt()
  try {
    for (const [up, down] of [
      [100, 0],
      [3, 9],
      [80, 200],
      [0, 4],
      [500, 20],
    ] as const) {
      time.ping(up, down, 5000)
      time.pass(250)
      expect(time.error(5000)).toBeLessThanOrEqual(time.clock.uncertaintyMs + 0.01)
    }
    // The best of them, a round trip of 4 ms, counts.
    expect(time.clock.uncertaintyMs).toBeLessThan(3)
  } finally {
    time.stop()
  }
})

test('grows less certain with time, until a newer answer is the better one', () => {
  const time = clockAt()
  try {
    time.ping(1, 1, 0)
    const fresh = time.clock.uncertaintyMs
    time.pass(60_000)
    expect(time.clock.uncertaintyMs).toBeCloseTo(fresh + 6, 3)
    time.ping(2, 2, 3)
    expect(time.error(3)).toBeLessThan(3)
  } finally {
    time.stop()
  }
})

test('starts anew with a new connection, and tells round trip and jitter', () => {
  const time = clockAt()
  try {
    for (let i = 0; i < 100; i++) time.ping(10, 10, 0)
    expect(time.clock.rttMs).toBeCloseTo(20, 3)
    expect(time.clock.jitterMs).toBeLessThan(0.1)
    for (let i = 0; i < 100; i++) time.ping(i % 2 === 0 ? 0 : 20, 10, 0)
    expect(time.clock.jitterMs).toBeGreaterThan(5)
    time.clock.restart()
    time.ping(30, 30, 70_000)
    expect(time.error(70_000)).toBeLessThan(2)
    expect(time.clock.rttMs).toBe(60)
  } finally {
    time.stop()
  }
})

test('of a client is set within its first second', async () => {
  const server = await startServer()
  const rally = connect(server)
  await until(rally, 'open')
  const socket = await server.nextSocket()
  await vi.waitFor(() => expect(rally.clock.uncertaintyMs).toBeLessThan(20))
  expect(Math.abs(rally.clock.now() - Date.now())).toBeLessThan(20)
  expect(rally.clock.rttMs).toBeGreaterThan(0)
  await vi.waitFor(() => expect(socket.count('rpc.ping')).toBe(5), 2000)
})
