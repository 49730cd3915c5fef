import { setTimeout as delay } from 'node:timers/promises'
import type { Platform } from '../../context.ts'
import { inTransaction, plainScope } from '../../scope.ts'
import type { MatchService } from '../service.ts'
import { matchStore } from '../store.ts'

const BATCH = 500
const CONCURRENCY = 4
const RETRY_MS = 500

interface Seat {
  readonly matchId: string
  readonly userId: string | null
  readonly connected: boolean
  readonly nodeId: string | null
}

/**
 * Keeps with the seats of matches that are not over whether their players are here. What it was told of and could not
 * write, because the database is away, it writes later: only the newest truth counts, so it holds one entry a user.
 */
export class Presence {
  readonly #platform: Platform
  readonly #service: MatchService
  readonly #due = new Set<string>()
  readonly #stopping = new AbortController()
  #working: Promise<void> | undefined

  constructor(platform: Platform, service: MatchService) {
    this.#platform = platform
    this.#service = service
  }

  /** Sockets of the user came or went, or may have while a seat was taken. */
  note(userId: string): void {
    if (this.#stopping.signal.aborted) return
    this.#due.add(userId)
    this.#working ??= this.#work()
  }

  /** Looks for players whose seat says that they are away though they are here: another node may have had its reasons. */
  async heal(): Promise<void> {
    const { connections, database } = this.#platform
    const away = await database.db.$queryRaw<{ userId: string }[]>`
      SELECT DISTINCT seats.user_id AS "userId" FROM seats JOIN matches ON matches.id = seats.match_id
      WHERE matches.status IN ('waiting', 'live') AND seats.user_id IS NOT NULL AND NOT seats.connected
      LIMIT 10000`
    for (const { userId } of away) if (connections.isOnline(userId)) this.note(userId)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#due.clear()
    await this.#working
  }

  async #work(): Promise<void> {
    // What is told in the same turn, as when a page is loaded anew, is looked at together.
    await Promise.resolve()
    const { signal } = this.#stopping
    while (this.#due.size > 0 && !signal.aborted) {
      const users = [...this.#due].slice(0, BATCH)
      for (const userId of users) this.#due.delete(userId)
      try {
        await this.#settle(users)
      } catch (error) {
        if (signal.aborted) break
        this.#platform.log.matches.warn({ err: error, users: users.length }, 'who is connected could not be noted')
        for (const userId of users) this.#due.add(userId)
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    }
    this.#working = undefined
  }

  async #settle(users: readonly string[]): Promise<void> {
    const seats = await plainScope(this.#platform).db.seat.findMany({
      where: { userId: { in: [...users] }, match: { status: { in: ['waiting', 'live'] } } },
      select: { matchId: true, userId: true, connected: true, nodeId: true },
    })
    const matchIds = new Set(seats.filter((seat) => this.#isOutdated(seat)).map(({ matchId }) => matchId)).values()
    const worker = async () => {
      for (const matchId of matchIds) {
        if (this.#stopping.signal.aborted) return
        await this.#write(matchId, users)
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  }

  async #write(matchId: string, users: readonly string[]): Promise<void> {
    await inTransaction(this.#platform, async (scope) => {
      const row = await matchStore.lock(scope, matchId)
      const outdated = row?.seats.filter(
        (seat) => seat.userId !== null && users.includes(seat.userId) && this.#isOutdated(seat),
      )
      if (!row || !outdated || outdated.length === 0) return
      for (const userId of new Set(outdated.map((seat) => seat.userId))) {
        if (userId === null) continue
        await scope.db.seat.updateMany({ where: { matchId, userId }, data: this.#service.presence(userId) })
      }
      await this.#service.change(scope, row)
    })
  }

  /** A player who is gone from here, but was last seen at another node, is that one's to speak of. */
  #isOutdated({ userId, connected, nodeId }: Omit<Seat, 'matchId'>): boolean {
    if (userId === null) return false
    const { node, connections } = this.#platform
    return connections.isOnline(userId) ? !connected || nodeId !== node : nodeId === node
  }
}
