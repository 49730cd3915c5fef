import { expect, test } from 'vitest'
import { backoffMs, reconnectMs } from '../../src/client/backoff.ts'
import { endpointsOf } from '../../src/client/socket.ts'

const BACKOFF = { minMs: 500, maxMs: 20_000 }

test('waits are anything up to a bound that doubles from half a second to twenty', () => {
  const bounds = [0, 1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => backoffMs(failures, BACKOFF, 1))
  expect(bounds).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000])
  expect(backoffMs(9, BACKOFF, 0)).toBe(0)
  expect(backoffMs(9, BACKOFF, 0.25)).toBe(5000)
})

test('a node that leaves is left at once, unless it happens over and over', () => {
  expect(reconnectMs(4000, 0, BACKOFF, 1)).toBe(250)
  expect(reconnectMs(4501, 0, BACKOFF, 1)).toBe(250)
  expect(reconnectMs(4000, 6, BACKOFF, 1)).toBe(20_000)
  expect(reconnectMs(1006, 0, BACKOFF, 1)).toBe(500)
})

test('a client that was too fast pauses', () => {
  expect(reconnectMs(4029, 0, BACKOFF, 0)).toBe(5000)
  expect(reconnectMs(4029, 9, BACKOFF, 1)).toBe(25_000)
})

test.each([
  ['http://127.0.0.1:3001', 'ws://127.0.0.1:3001/ws', 'http://127.0.0.1:3001/session'],
  ['https://play.example/', 'wss://play.example/ws', 'https://play.example/session'],
  ['wss://play.example/ws', 'wss://play.example/ws', 'https://play.example/session'],
  ['https://example.org/rally/', 'wss://example.org/rally/ws', 'https://example.org/rally/session'],
])('%s is found at %s', (url, socket, session) => {
  expect(endpointsOf(url)).toEqual({ socket, session })
})

test('an address that is none is refused', () => {
  expect(() => endpointsOf('/')).toThrow(TypeError)
  expect(() => endpointsOf('ftp://example.org')).toThrow(TypeError)
})
