// Glicko-2 by Mark Glickman, "Example of the Glicko-2 system" (http://www.glicko.net/glicko/glicko2.pdf). The numbers of the
// steps are those of the paper.

/** How well somebody plays, how uncertain that is, and how much it varies. */
export interface Glicko {
  readonly rating: number
  /** The real strength is within two deviations of the rating with 95 %. */
  readonly deviation: number
  readonly volatility: number
}

/** The result of a game against one opponent: 1 for a win, 0.5 for a draw, 0 for a loss. */
export interface Game {
  readonly opponent: Pick<Glicko, 'rating' | 'deviation'>
  readonly score: number
}

/** Of somebody who has not played. */
export const UNRATED: Glicko = { rating: 1500, deviation: 350, volatility: 0.06 }

/** The system constant: how fast volatilities change. The paper suggests 0.3 to 1.2. */
const TAU = 0.5
const SCALE = 173.7178
const TOLERANCE = 0.000_001
/** The search for the volatility takes about ten rounds. */
const MAX_ROUNDS = 100

/** The rating after a rating period. `periods` is how long it was: 1 in the paper. Without games only the deviation grows. */
export function rate(player: Glicko, games: readonly Game[], periods = 1): Glicko {
  // Step 2
  const mu = (player.rating - UNRATED.rating) / SCALE
  const phi = player.deviation / SCALE
  if (games.length === 0) return { ...player, deviation: grown(phi, player.volatility, periods) * SCALE }
  // Steps 3 and 4
  let information = 0
  let difference = 0
  for (const { opponent, score } of games) {
    const g = weight(opponent.deviation / SCALE)
    const expected = 1 / (1 + Math.exp(-g * (mu - (opponent.rating - UNRATED.rating) / SCALE)))
    information += g * g * expected * (1 - expected)
    difference += g * (score - expected)
  }
  // A result that was certain says nothing, and then the variance would be infinite.
  const variance = 1 / Math.max(information, Number.EPSILON)
  const volatility = newVolatility(phi, player.volatility, variance, variance * difference)
  // Steps 6 and 7
  const before = grown(phi, volatility, periods)
  const after = 1 / Math.sqrt(1 / (before * before) + 1 / variance)
  // Step 8
  return { rating: (mu + after * after * difference) * SCALE + UNRATED.rating, deviation: after * SCALE, volatility }
}

/** The deviation after some periods, on the scale of the paper, never more than that of somebody who has not played. */
function grown(phi: number, volatility: number, periods: number): number {
  return Math.min(Math.sqrt(phi * phi + volatility * volatility * periods), UNRATED.deviation / SCALE)
}

function weight(phi: number): number {
  return 1 / Math.sqrt(1 + (3 * phi * phi) / (Math.PI * Math.PI))
}

/** Step 5: the Illinois algorithm. */
function newVolatility(phi: number, volatility: number, variance: number, delta: number): number {
  const a = Math.log(volatility * volatility)
  const f = (x: number) => {
    const ex = Math.exp(x)
    const total = phi * phi + variance + ex
    return (ex * (delta * delta - total)) / (2 * total * total) - (x - a) / (TAU * TAU)
  }
  let low = a
  let high = Math.log(delta * delta - phi * phi - variance)
  if (!(delta * delta > phi * phi + variance)) {
    let k = 1
    while (f(a - k * TAU) < 0) k++
    high = a - k * TAU
  }
  let ofLow = f(low)
  let ofHigh = f(high)
  for (let round = 0; round < MAX_ROUNDS && Math.abs(high - low) > TOLERANCE; round++) {
    const next = low + ((low - high) * ofLow) / (ofHigh - ofLow)
    const ofNext = f(next)
    if (ofNext * ofHigh <= 0) {
      low = high
      ofLow = ofHigh
    } else ofLow /= 2
    high = next
    ofHigh = ofNext
  }
  return Math.exp(low / 2)
}
