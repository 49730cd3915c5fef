import type { Rally } from '../rally.ts'
import type { Sound } from '../sound/sound.ts'
import { type Coin, coinsOf, moved, type Place, startOf, touches } from './field.ts'
import { OtherPlayers } from './players.ts'

/** Own states are sent so often at most: the room passes them on no faster. */
const SEND_MS = 50
/** After a longer pause between two pictures, as in a hidden tab, the player has not gone on. */
const MAX_STEP_MS = 100

/** What is drawn. */
export interface CoopPicture {
  readonly coins: readonly Coin[]
  readonly players: readonly { readonly userId: string; readonly place: Place }[]
}

/** One player's view of a room's field: everybody moves on their own page, and who claims a coin first has it. */
export class CoopGame {
  readonly #rally: Rally
  readonly #sound: Sound
  readonly #roomId: string
  readonly #userId: string
  readonly #others = new OtherPlayers()
  /** Coins that this page has claimed, until the room has told who has them. */
  readonly #asked = new Set<string>()
  #members: readonly string[] = []
  #claims: ReadonlyMap<string, string | null> = new Map()
  #place: Place
  #sent: Place | null = null
  #sentAt = 0
  #steppedAt = 0

  constructor(rally: Rally, sound: Sound, { roomId, userId }: { roomId: string; userId: string }) {
    this.#rally = rally
    this.#sound = sound
    this.#roomId = roomId
    this.#userId = userId
    this.#place = startOf(userId)
  }

  /** Follows the others until the returned function is called. */
  follow(): () => void {
    return this.#rally.rooms.onRelay(
      { roomId: this.#roomId },
      {
        next: ({ states }) => {
          for (const { from, kind, payload } of states) {
            if (kind !== 'state' || from === this.#userId || !isPlace(payload)) continue
            this.#others.take(from, payload, performance.now())
          }
        },
        healed: () => {
          this.#sent = null
        },
      },
    )
  }

  /** Who is in the room, and who has which coins. */
  setRoom(members: readonly string[], claims: ReadonlyMap<string, string | null>): void {
    this.#members = members
    this.#claims = claims
    this.#others.keep(members)
    for (const key of this.#asked) if (claims.has(key)) this.#asked.delete(key)
  }

  /** Moves the own player on to `now` (`performance.now()`), and gives what to draw. */
  step(now: number, directionFrom: (place: Place) => Place): CoopPicture {
    const seconds = Math.min(MAX_STEP_MS, Math.max(0, now - this.#steppedAt)) / 1000
    this.#steppedAt = now
    this.#place = moved(this.#place, directionFrom(this.#place), seconds)
    this.#send(now)
    const coins = coinsOf(this.#roomId, (key) => this.#claims.has(key))
    const left = coins.filter((coin) => !this.#asked.has(coin.key) && !this.#collects(coin))
    const players = this.#members.flatMap((userId) => {
      const place = userId === this.#userId ? this.#place : this.#others.placeOf(userId, now)
      return place ? [{ userId, place }] : []
    })
    return { coins: left, players }
  }

  #collects(coin: Coin): boolean {
    if (!touches(this.#place, coin)) return false
    const { key } = coin
    this.#asked.add(key)
    this.#rally.rooms.claim({ roomId: this.#roomId, key }).then(
      ({ isFirst }) => {
        if (isFirst) this.#sound.play('collect')
      },
      // It lies there again.
      () => this.#asked.delete(key),
    )
    return true
  }

  #send(now: number): void {
    const { x, y } = this.#place
    if ((this.#sent?.x === x && this.#sent.y === y) || now - this.#sentAt < SEND_MS) return
    this.#sent = this.#place
    this.#sentAt = now
    const payload = { x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 }
    this.#rally.rooms
      .relay({ roomId: this.#roomId, kind: 'state', payload }, { fireAndForget: true })
      .catch(() => undefined)
  }
}

function isPlace(payload: unknown): payload is Place {
  if (typeof payload !== 'object' || payload === null || !('x' in payload) || !('y' in payload)) return false
  return Number.isFinite(payload.x) && Number.isFinite(payload.y)
}
