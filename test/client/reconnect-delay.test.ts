import { expect, test } from 'vitest'
import { endpointsOf } from '../../src/client/handshake.ts'
import { backoffMs, reconnectMs } from '../../src/client/reconnect-delay.ts'

const BACKOFF = { minMs: 500, maxMs: 20_000 }

test('a wait is random, up to a bound that doubles from 0.5 s to 20 s', () => {
  const bounds = [0, 1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => backoffMs(failures, BACKOFF, 1))
  expect(bounds).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000])
  expect(backoffMs(9, BACKOFF, 0)).toBe(0)
  expect(backoffMs(9, BACKOFF, 0.25)).toBe(5000)
})

/** The longest wait after a close with `code`. */
const longest = (code: number, failures: number, outageMs = 0) => reconnectMs({ code, failures, outageMs }, BACKOFF, 1)

test('after a node has left the client reconnects at once, unless that happens repeatedly', () => {
  expect(longest(4000, 0)).toBe(250)
  expect(longest(4001, 0)).toBe(250)
  expect(longest(4501, 0)).toBe(250)
  expect(longest(4000, 6)).toBe(1500)
  expect(longest(1006, 0)).toBe(500)
})

test('during a restart of half a minute no wait is longer than 1.5 s', () => {
  expect([0, 1, 2, 3, 30].map((failures) => longest(1006, failures, 29_000))).toEqual([500, 1000, 1500, 1500, 1500])
  expect(reconnectMs({ code: 1006, failures: 30, outageMs: 29_000 }, BACKOFF, 0)).toBe(0)
})

test('the longer an outage lasts, the longer are the waits, up to the bound', () => {
  expect([60_000, 200_000, 400_000, 10 ** 9].map((outageMs) => longest(1006, 99, outageMs))).toEqual([
    3000, 10_000, 20_000, 20_000,
  ])
  // Bounds of one's own are kept.
  expect(reconnectMs({ code: 1006, failures: 9, outageMs: 0 }, { minMs: 5, maxMs: 20 }, 1)).toBe(20)
  expect(reconnectMs({ code: 1006, failures: 0, outageMs: 0 }, { minMs: 5000, maxMs: 20_000 }, 1)).toBe(5000)
})

test('a client that was too fast pauses', () => {
  const backoff = (failures: number, random: number) =>
    reconnectMs({ code: 4029, failures, outageMs: 0 }, BACKOFF, random)
  expect(backoff(0, 0)).toBe(5000)
  expect(backoff(9, 1)).toBe(25_000)
})

test.each([
  ['http://127.0.0.1:3001', 'ws://127.0.0.1:3001/ws', 'http://127.0.0.1:3001/session'],
  ['https://play.example/', 'wss://play.example/ws', 'https://play.example/session'],
  ['wss://play.example/ws', 'wss://play.example/ws', 'https://play.example/session'],
  ['https://example.org/rally/', 'wss://example.org/rally/ws', 'https://example.org/rally/session'],
])('%s is found at %s', (url, socket, session) => {
  expect(endpointsOf(url)).toMatchObject({ socket, session })
})

test('what is no address of a server is refused', () => {
  expect(() => endpointsOf('/')).toThrow(TypeError)
  expect(() => endpointsOf('ftp://example.org')).toThrow(TypeError)
})
