import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Heartbeat } from '../../src/client/heartbeat.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers())

function start(heartbeatMs: number) {
  const seen = { pings: 0, deadAfterMs: null as number | null, isLive: false }
  const startedAt = performance.now()
  const heartbeat = new Heartbeat({
    heartbeatMs,
    isLive: () => seen.isLive,
    ping: () => seen.pings++,
    dead: () => {
      seen.deadAfterMs ??= performance.now() - startedAt
      heartbeat.stop()
    },
  })
  const beLive = (isLive: boolean) => {
    seen.isLive = isLive
    heartbeat.review()
  }
  return { seen, heartbeat, beLive }
}

test('a silent peer is pinged after one heartbeat, and given up half a heartbeat later', () => {
  const { seen } = start(15_000)
  vi.advanceTimersByTime(14_999)
  expect(seen.pings).toBe(0)
  vi.advanceTimersByTime(1)
  expect(seen.pings).toBe(1)
  vi.advanceTimersByTime(7_500)
  expect(seen.deadAfterMs).toBe(22_500)
})

test('while a match is live a connection is given up after 3.5 s of silence', () => {
  for (const answeredMs of [0, 100, 1_500, 2_200]) {
    const { seen, heartbeat, beLive } = start(15_000)
    beLive(true)
    vi.advanceTimersByTime(1_250)
    expect(seen.pings).toBe(1)
    vi.advanceTimersByTime(answeredMs)
    heartbeat.heard()
    vi.advanceTimersByTime(3_499)
    expect(seen.deadAfterMs).toBeNull()
    vi.advanceTimersByTime(1)
    expect(seen.deadAfterMs).toBe(1_250 + answeredMs + 3_500)
  }
})

test('nothing is asked while keyframes come, and nothing soon when the match is over', () => {
  const { seen, heartbeat, beLive } = start(15_000)
  vi.advanceTimersByTime(10_000)
  beLive(true)
  for (let keyframe = 0; keyframe < 20; keyframe++) {
    heartbeat.heard()
    vi.advanceTimersByTime(1_000)
  }
  expect(seen.pings).toBe(0)
  heartbeat.heard()
  beLive(false)
  vi.advanceTimersByTime(14_999)
  expect(seen.pings).toBe(0)
  heartbeat.stop()
})
