import { nextInt, seedPrng } from '../../../src/games/prng.ts'

/** The field's own units. */
export const FIELD_WIDTH = 800
export const FIELD_HEIGHT = 500
export const PLAYER_RADIUS = 18
export const COIN_RADIUS = 10
/** How far a player goes in a second. */
const SPEED = 300

/** Coins that lie on the field at the same time, and how often new ones come. A room takes no more than 500 claims. */
export const COINS_A_WAVE = 8
export const WAVES = 60

export interface Place {
  readonly x: number
  readonly y: number
}

export interface Coin extends Place {
  /** What is claimed in the room. */
  readonly key: string
}

/** The coins that can be collected now: the first wave of which not all are claimed. The same for everybody in the room. */
export function coinsOf(roomId: string, isClaimed: (key: string) => boolean): readonly Coin[] {
  for (let wave = 0; wave < WAVES; wave++) {
    const left = waveOf(roomId, wave).filter(({ key }) => !isClaimed(key))
    if (left.length > 0) return left
  }
  return []
}

function waveOf(roomId: string, wave: number): Coin[] {
  const random = seedPrng(hashOf(roomId) + wave)
  const within = (length: number) => 2 * COIN_RADIUS + nextInt(random, length - 4 * COIN_RADIUS)
  return Array.from({ length: COINS_A_WAVE }, (_, index) => ({
    key: `coin-${wave}-${index}`,
    x: within(FIELD_WIDTH),
    y: within(FIELD_HEIGHT),
  }))
}

/** Where a user begins. */
export function startOf(userId: string): Place {
  const random = seedPrng(hashOf(userId))
  return { x: 100 + nextInt(random, FIELD_WIDTH - 200), y: 100 + nextInt(random, FIELD_HEIGHT - 200) }
}

/** Where a player is after `seconds` in a direction, whose length is 1 at most. */
export function moved({ x, y }: Place, direction: Place, seconds: number): Place {
  const within = (at: number, length: number) => Math.min(length - PLAYER_RADIUS, Math.max(PLAYER_RADIUS, at))
  return {
    x: within(x + direction.x * SPEED * seconds, FIELD_WIDTH),
    y: within(y + direction.y * SPEED * seconds, FIELD_HEIGHT),
  }
}

export function touches(player: Place, coin: Place): boolean {
  return Math.hypot(player.x - coin.x, player.y - coin.y) < PLAYER_RADIUS + COIN_RADIUS
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
