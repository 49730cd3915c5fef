import { afterEach, expect, test, vi } from 'vitest'
import { RallyError } from '../../src/client/index.ts'
import { type PongInput, pong } from '../../src/games/pong/index.ts'
import { inputEid } from '../../src/protocol/live-frames.ts'
import { GOOD_LINK, STREAM, VirtualMatch, VirtualTime } from './virtual-match.ts'

const UP: PongInput = { move: -1 }
const DOWN: PongInput = { move: 1 }
const IDLE: PongInput = { move: 0 }

afterEach(() => vi.unstubAllGlobals())

/** A match under way, and one player of it. */
async function playing() {
  const time = new VirtualTime(1)
  const match = new VirtualMatch({ game: pong, options: { pointsToWin: 21 }, time })
  const { play, client } = match.join(GOOD_LINK, { seats: [0] })
  await new Promise(setImmediate)
  match.start()
  time.runUntil(time.now + 500)
  return { time, match, play, client, held: () => match.runner.inputs[0] }
}

/** As much of a page as there is to leave. */
function stubPage() {
  const page = new EventTarget()
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  vi.stubGlobal('document', document)
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page))
  return {
    page,
    hide() {
      document.visibilityState = 'hidden'
      document.dispatchEvent(new Event('visibilitychange'))
    },
  }
}

test.each(['pagehide', 'blur', 'hidden', 'stop'])('what is held is let go of with the page: %s', async (how) => {
  const { page, hide } = stubPage()
  const { time, play, held } = await playing()
  play.input(UP)
  time.runUntil(time.now + 100)
  expect(held()).toEqual(UP)
  if (how === 'hidden') hide()
  else if (how === 'stop') play.stop()
  else page.dispatchEvent(new Event(how))
  time.runUntil(time.now + 100)
  expect(held()).toEqual(IDLE)
  if (how === 'stop') return
  // The next press counts again.
  expect(play.input(UP)).toBe(true)
  time.runUntil(time.now + 100)
  expect(held()).toEqual(UP)
  play.stop()
})

test('a page that is not held against leaving costs nothing, and leaves no listener behind', async () => {
  const { page } = stubPage()
  const { time, play, client } = await playing()
  page.dispatchEvent(new Event('blur'))
  time.runUntil(time.now + 100)
  expect(client.sent).toBe(0)
  play.stop()
  page.dispatchEvent(new Event('pagehide'))
  expect(client.sent).toBe(0)
})

test('the newest value is sent again after a refusal, and not what was refused for good', async () => {
  const { play, client } = await playing()
  const refuse = (code: string, seat: number, retryAfterMs?: number) =>
    client.tell('error', new RallyError(code, 'no', { type: 'live.input', eid: inputEid(STREAM, seat), retryAfterMs }))
  play.input(UP)
  play.input(IDLE)
  const sent = client.sent
  // Time stands still for the session, so that it is this refusal alone that makes it speak.
  refuse('RATE_LIMITED', 1, 1)
  refuse('RATE_LIMITED', 0, 1)
  await expect.poll(() => client.sent, { timeout: 5_000 }).toBe(sent + 1)
  refuse('NOT_SEATED', 0)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(client.sent).toBe(sent + 1)
  play.stop()
})

test('an input that was refused for good is not said again before the player does something else', async () => {
  const { time, match, play, client } = await playing()
  match.deaf = true
  play.input(UP)
  expect(client.sent).toBe(1)
  client.tell('error', new RallyError('NOT_SEATED', 'no', { type: 'live.input', eid: inputEid(STREAM, 0) }))
  time.every(16, () => {
    play.frame()
    return true
  })
  time.runUntil(time.now + 10_000)
  expect(client.sent).toBe(1)
  play.input(IDLE)
  expect(client.sent).toBe(2)
  play.stop()
})

test('a new connection says again what is pressed, also where the server holds it by the old one', async () => {
  const { time, play, client, held } = await playing()
  play.input(UP)
  time.runUntil(time.now + 100)
  expect(client.sent).toBe(1)
  client.cut(100)
  time.runUntil(time.now + 500)
  expect(play.status).toBe('live')
  expect(held()).toEqual(UP)
  expect(client.sent).toBe(2)
  play.stop()
})

test('a new connection says nothing of what was let go of: the seat may be played elsewhere', async () => {
  const { time, match, play, client, held } = await playing()
  play.input(UP)
  play.input(IDLE)
  time.runUntil(time.now + 100)
  client.cut(100)
  match.runner.input(0, DOWN)
  time.runUntil(time.now + 500)
  expect(play.status).toBe('live')
  play.frame()
  time.runUntil(time.now + 500)
  expect(held()).toEqual(DOWN)
  expect(client.sent).toBe(2)
  play.stop()
})
