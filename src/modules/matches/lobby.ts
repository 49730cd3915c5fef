import { gameNames } from '../../games/index.ts'
import type { Platform, Scope } from '../context.ts'
import { lobbyChannel } from './channels.ts'
import { toMatch } from './match-row.ts'
import { matchStore } from './store.ts'
import type { Lobby } from './types.ts'

const MAX_MATCHES = 50
/** Changes within this time are told in one event. */
const COALESCE_MS = 150

/** What anybody may join or watch. Tells the followers of the lobby when it changes. */
export class LobbyFeed {
  readonly #platform: Platform
  #timer: NodeJS.Timeout | undefined
  #refreshing: Promise<void> | undefined
  #stopped = false

  constructor(platform: Platform) {
    this.#platform = platform
  }

  /** The lobby as it is, with the `seq` that the last event had. */
  async read(scope: Scope, game?: string): Promise<{ seq: number; lobby: Lobby }> {
    // Read first: a change after this has a later number, and comes as an event.
    const [row] = await scope.db.$queryRaw<{ seq: bigint }[]>`SELECT last_value AS seq FROM lobby_seq`
    const rows = await matchStore.list(
      scope,
      { status: { in: ['waiting', 'live'] }, visibility: 'public', mode: { not: 'local' }, ...(game ? { game } : {}) },
      { after: undefined, take: MAX_MATCHES },
    )
    const { publicUrl } = this.#platform.config
    return { seq: Number(row?.seq ?? 0), lobby: { matches: rows.map((match) => toMatch(match, publicUrl)) } }
  }

  /** The lobby changed; its followers hear of it shortly. */
  touch(): void {
    if (this.#stopped) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#refreshing = this.#refresh().catch((error: unknown) => {
        this.#platform.log.matches.warn({ err: error }, 'the lobby could not be read')
      })
    }, COALESCE_MS)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#refreshing
  }

  async #refresh(): Promise<void> {
    const { hub, database } = this.#platform
    const scope: Scope = { db: database.db, afterCommit: (effect) => effect() }
    for (const game of [undefined, ...gameNames]) {
      const channel = lobbyChannel(game)
      if (!hub.isFollowed(channel)) continue
      const [row] = await database.db.$queryRaw<{ seq: bigint }[]>`SELECT nextval('lobby_seq') AS seq`
      const { lobby } = await this.read(scope, game)
      hub.publish(channel, Number(row?.seq ?? 0), lobby)
    }
  }
}
