import type { Place } from './field.ts'

/** States of others come so often; a longer time between two is a pause. */
const USUAL_MS = 50
const MAX_GLIDE_MS = 200

interface Glide {
  readonly from: Place
  readonly to: Place
  readonly startedAt: number
  readonly lengthMs: number
}

/** Where the other players are. A player glides from place to place, in the time that passed between the last two states. */
export class OtherPlayers {
  readonly #glides = new Map<string, Glide>()

  take(userId: string, to: Place, now: number): void {
    const last = this.#glides.get(userId)
    const lengthMs = last ? Math.min(MAX_GLIDE_MS, Math.max(USUAL_MS, now - last.startedAt)) : 0
    this.#glides.set(userId, { from: last ? placeAt(last, now) : to, to, startedAt: now, lengthMs })
  }

  /** Forgets everybody else. */
  keep(userIds: readonly string[]): void {
    for (const userId of this.#glides.keys()) if (!userIds.includes(userId)) this.#glides.delete(userId)
  }

  /** Null for a player who has not shown up yet. */
  placeOf(userId: string, now: number): Place | null {
    const glide = this.#glides.get(userId)
    return glide ? placeAt(glide, now) : null
  }
}

function placeAt({ from, to, startedAt, lengthMs }: Glide, now: number): Place {
  const share = lengthMs === 0 ? 1 : Math.min(1, (now - startedAt) / lengthMs)
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share }
}
