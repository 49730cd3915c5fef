import { z } from 'zod'
import { matchService } from '../matches/index.ts'
import type { Platform } from '../platform.ts'
import { MatchId } from '../wire.ts'
import { matchOf } from './frame-publisher.ts'
import type { LiveMatch, LiveMatches } from './live-matches.ts'

/** A message to the node that runs a match: how many watch it from here. */
const WATCHED = 'live.watched'
/** A count that has not changed is told again after this time, as messages between nodes may be lost. */
const TELL_AGAIN_MS = 10_000
/** After this time without a message, a node has no spectators of a match any more. */
const FORGET_MS = 3 * TELL_AGAIN_MS

const Watched = z.object({ matchId: MatchId, count: z.number().int().min(0) })

/**
 * Counts who watches a live match: on each node the users without a seat in it who follow it, and the sockets of visitors. A
 * user who watches on two nodes counts twice. The node that runs the match stores the sum with it.
 */
export class Spectators {
  readonly #platform: Platform
  readonly #matches: LiveMatches

  constructor(platform: Platform, matches: LiveMatches) {
    this.#platform = platform
    this.#matches = matches
    platform.nodes.listen(WATCHED, (data, from) => {
      const { matchId, count } = Watched.parse(data)
      const match = matches.get(matchId)
      if (!match?.runner) return
      if (count === 0) match.watchedFrom.delete(from)
      else match.watchedFrom.set(from, { count, toldAt: performance.now() })
    })
    platform.nodes.onGone((node) => {
      for (const match of matches) match.watchedFrom.delete(node)
    })
  }

  /** Counts the spectators on this node. Call it every few seconds. */
  count(now = performance.now()): void {
    const watching = this.#watching()
    for (const match of this.#matches) {
      if (!match.isLive) continue
      const here = watching.get(match)?.size ?? 0
      if (match.runner) this.#platform.use(matchService).noteSpectators(match.matchId, here + elsewhere(match, now))
      else if (match.owner !== null) this.#tell(match, match.owner, here, now)
    }
  }

  #tell(match: LiveMatch, owner: string, count: number, now: number): void {
    const { count: before, toldAt } = match.watchedHere
    if (count === before && (count === 0 || now - toldAt < TELL_AGAIN_MS)) return
    match.watchedHere = { count, toldAt: now }
    this.#platform.nodes.tell(owner, WATCHED, { matchId: match.matchId, count })
  }

  /** Who watches each match from this node: ids of users, and of the sockets of visitors. */
  #watching(): Map<LiveMatch, Set<string>> {
    const watching = new Map<LiveMatch, Set<string>>()
    for (const { id, caller, following } of this.#platform.connections) {
      for (const { channel } of following.values()) {
        const matchId = matchOf(channel)
        const match = matchId === null ? undefined : this.#matches.get(matchId)
        if (!match || (caller.user && match.seats.some(({ userId }) => userId === caller.user?.id))) continue
        const known = watching.get(match) ?? new Set()
        watching.set(match, known.add(caller.user?.id ?? id))
      }
    }
    return watching
  }
}

function elsewhere({ watchedFrom }: LiveMatch, now: number): number {
  let sum = 0
  for (const { count, toldAt } of watchedFrom.values()) if (now - toldAt < FORGET_MS) sum += count
  return sum
}
