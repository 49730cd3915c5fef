import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TestClient } from '../support/client.ts'
import type { Player } from '../support/server.ts'

/** What the players see of a match. */
export interface PlayedMatch {
  readonly id: string
  readonly status: string
  readonly winnerSeat: number | null
  readonly players: readonly { readonly username: string; readonly score: number }[]
}

/** Two sockets on different replicas. The proxy sends a new one where fewer are. */
export async function onDifferentReplicas(url: string, ada: Player, ben: Player): Promise<[TestClient, TestClient]> {
  const first = await connect(url, { cookie: ada.cookie })
  for (let tries = 0; tries < 20; tries++) {
    const second = await connect(url, { cookie: ben.cookie })
    if (second.welcome.node !== first.welcome.node) return [first, second]
    await second.close()
  }
  throw new Error('the proxy leads to one replica alone')
}

const WHOLE_GAME = { deadlineMs: 30_000 }

/**
 * Plays a whole game of Connect Four: each player fills a column of their own, and the first has four first. `pause` comes
 * before the third move. Returns which of the two saw the end.
 */
export async function playConnectFour(
  ada: TestClient,
  ben: TestClient,
  pause: () => Promise<void> = async () => undefined,
): Promise<{ matchId: string; sawEnd: [boolean, boolean] }> {
  const created = await ada.call<{ id: string; code: string }>('matches.create', {
    game: 'connect-four',
    mode: 'casual',
    options: { first: 0 },
  })
  const matchId = created.id
  await ben.call('matches.join', { code: created.code })
  const play = async (client: TestClient, seat: number) => {
    type Frame = { status: string; state: { turn: number; discs: number } }
    const { opening, events } = await client.subscribe<Frame>('live.onState', { matchId })
    let frame: Frame | undefined = opening.snapshot
    let moved = -1
    while (frame?.status !== 'finished') {
      if (frame?.status === 'live' && frame.state.turn === seat && frame.state.discs > moved) {
        moved = frame.state.discs
        if (moved === 2) await pause()
        client.send(
          JSON.stringify({ type: 'live.input', data: { matchId, input: { column: seat } }, eid: 'move', ts: 0 }),
        )
      }
      const event = await events.next(undefined, WHOLE_GAME.deadlineMs)
      if (event.error !== undefined) return false
      frame = event.data
    }
    return true
  }
  return { matchId, sawEnd: await Promise.all([play(ada, 0), play(ben, 1)]) }
}

/** The result, once it is stored. */
export async function storedResult(client: TestClient, matchId: string): Promise<PlayedMatch> {
  for (;;) {
    const match = await client.call<PlayedMatch>('matches.getOne', { matchId })
    if (match.status === 'finished') return match
    await sleep(100)
  }
}

/** A client that comes back at once whenever its socket ends, and measures how long it was away. */
export class StayingClient {
  readonly versions: string[] = []
  readonly closeCodes: number[] = []
  /** From the end of a socket to the welcome of the next, in ms. */
  readonly gapsMs: number[] = []
  #client: TestClient
  readonly #url: string
  readonly #player: Player
  #isLeaving = false
  readonly #staying: Promise<void>

  constructor(url: string, player: Player, client: TestClient) {
    this.#url = url
    this.#player = player
    this.#client = client
    this.#staying = this.#stay()
  }

  get welcome(): TestClient['welcome'] {
    return this.#client.welcome
  }

  async leave(): Promise<void> {
    this.#isLeaving = true
    await this.#client.close()
    await this.#staying
  }

  async #stay(): Promise<void> {
    for (;;) {
      this.versions.push(this.#client.welcome.version)
      const { code } = await this.#client.closed
      if (this.#isLeaving) return
      const closedAt = performance.now()
      this.closeCodes.push(code)
      this.#client = await this.#comeBack(closedAt + 30_000)
      this.gapsMs.push(Math.round(performance.now() - closedAt))
    }
  }

  async #comeBack(until: number): Promise<TestClient> {
    for (;;) {
      try {
        return await connect(this.#url, { cookie: this.#player.cookie })
      } catch (error) {
        if (performance.now() > until) throw error
        await sleep(50)
      }
    }
  }
}
