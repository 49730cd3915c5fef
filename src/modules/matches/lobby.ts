import { gameNames } from '../../games/index.ts'
import type { Platform, Scope } from '../context.ts'
import { plainScope } from '../scope.ts'
import { lobbyChannel } from './channels.ts'
import { toMatch } from './match-row.ts'
import { matchStore } from './store.ts'
import type { Lobby } from './types.ts'

const MAX_MATCHES = 50
/** Changes within this time are told in one event: of who waits soon, of the scores of live matches later. */
const COALESCE_MS = { soon: 150, later: 1_000 } as const

/** What anybody may join or watch. Tells the followers of the lobby when it changes. */
export class LobbyFeed {
  readonly #platform: Platform
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #refreshing: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(platform: Platform) {
    this.#platform = platform
  }

  /** The lobby as it is, with the `seq` that the last event had. */
  async read(scope: Scope, game?: string): Promise<{ seq: number; lobby: Lobby }> {
    // Read first: a change after this has a later number, and comes as an event.
    const [row] = await scope.db.$queryRaw<{ seq: bigint }[]>`
      SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS seq FROM lobby_seq`
    return { seq: Number(row?.seq ?? 0), lobby: await this.#list(scope, game) }
  }

  /** The lobby changed; its followers hear of it. */
  touch(urgency: keyof typeof COALESCE_MS): void {
    const dueAt = Date.now() + COALESCE_MS[urgency]
    if (this.#stopped || dueAt >= this.#dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = dueAt
    this.#timer = setTimeout(() => {
      this.#dueAt = Number.POSITIVE_INFINITY
      this.#refreshing = this.#refreshing.then(() => this.#refresh())
    }, COALESCE_MS[urgency])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#refreshing
  }

  async #refresh(): Promise<void> {
    const { hub, log } = this.#platform
    const scope = plainScope(this.#platform)
    try {
      for (const game of [undefined, ...gameNames]) {
        const channel = lobbyChannel(game)
        if (!hub.isFollowed(channel)) continue
        const [row] = await scope.db.$queryRaw<{ seq: bigint }[]>`SELECT nextval('lobby_seq') AS seq`
        hub.publish(channel, Number(row?.seq ?? 0), await this.#list(scope, game))
      }
    } catch (error) {
      log.matches.warn({ err: error }, 'the lobby could not be read')
      this.touch('later')
    }
  }

  async #list(scope: Scope, game: string | undefined): Promise<Lobby> {
    const rows = await matchStore.list(
      scope,
      { status: { in: ['waiting', 'live'] }, visibility: 'public', mode: { not: 'local' }, ...(game ? { game } : {}) },
      { by: 'createdAt', after: undefined, take: MAX_MATCHES },
    )
    return { matches: rows.map((row) => toMatch(row, this.#platform.config.publicUrl)) }
  }
}
