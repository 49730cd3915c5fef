import { randomUUID } from 'node:crypto'
import { startLive } from '../matches/support.ts'
import type { TestClient } from '../support/client.ts'

const FRAMES_PER_SECOND = 10

/** A live match that somebody plays against the bot, and the longest time without a new frame of it. */
export class LivePong {
  readonly #input: NodeJS.Timeout
  readonly #frames: NodeJS.Timeout
  #newestAt = performance.now()
  #longestMs = 0

  private constructor(client: TestClient, matchId: string, hasNewFrame: () => boolean) {
    let move = 1
    this.#input = setInterval(() => {
      move = -move
      const data = { matchId, input: { move } }
      client.send(JSON.stringify({ type: 'live.input', data, eid: randomUUID(), ts: Date.now() }))
    }, 250)
    this.#frames = setInterval(() => this.#look(hasNewFrame()), 20)
  }

  static async start(client: TestClient): Promise<LivePong> {
    const follower = await startLive(client, { game: 'pong', mode: 'bot', options: { pointsToWin: 21 } })
    const matchId = follower.latest.id
    const { events } = await client.subscribe<{ tick: number }>('live.onState', { matchId, rate: FRAMES_PER_SECOND })
    let tick = 0
    return new LivePong(client, matchId, () => {
      const newest = events.drain().at(-1)?.data.tick ?? tick
      const isNew = newest > tick
      tick = newest
      return isNew
    })
  }

  #look(hasNewFrame: boolean): void {
    const now = performance.now()
    this.#longestMs = Math.max(this.#longestMs, now - this.#newestAt)
    if (hasNewFrame) this.#newestAt = now
  }

  /** Ends the watching; gives the longest time without a new frame, ms. */
  stop(): number {
    clearInterval(this.#input)
    clearInterval(this.#frames)
    return this.#longestMs
  }
}
