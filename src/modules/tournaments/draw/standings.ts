import type { Pairing, Standing, TournamentFormat } from '../types.ts'

const POINTS = { won: 2, drawn: 1, lost: 0 } as const

/** How one player fared in one decided pairing with an opponent. */
interface Game {
  readonly seed: number
  readonly opponent: number
  readonly outcome: keyof typeof POINTS
  readonly difference: number
}

/** The standings of a tournament with so many players, the best first. */
export function standingsOf(format: TournamentFormat, players: number, pairings: readonly Pairing[]): Standing[] {
  const games = pairings.flatMap(gamesOf)
  const rows = Array.from({ length: players }, (_, index) => rowOf(index + 1, games))
  return format === 'round-robin' ? rankTable(rows, games) : rankBracket(rows, pairings)
}

function gamesOf({ seeds: [first, second], status, winner, decidedBy, scores }: Pairing): Game[] {
  if (status !== 'decided' || first === null || second === null) return []
  const [own = 0, other = 0] = scores ?? []
  const outcome = (seed: number): Game['outcome'] => {
    if (winner !== null) return winner === seed ? 'won' : 'lost'
    return decidedBy === 'forfeit' ? 'lost' : 'drawn'
  }
  return [
    { seed: first, opponent: second, outcome: outcome(first), difference: own - other },
    { seed: second, opponent: first, outcome: outcome(second), difference: other - own },
  ]
}

function rowOf(seed: number, games: readonly Game[]): Standing {
  const own = games.filter((game) => game.seed === seed)
  const count = (outcome: Game['outcome']) => own.filter((game) => game.outcome === outcome).length
  return {
    seed,
    place: null,
    won: count('won'),
    drawn: count('drawn'),
    lost: count('lost'),
    points: pointsOf(own),
    scoreDifference: own.reduce((sum, { difference }) => sum + difference, 0),
  }
}

function pointsOf(games: readonly Game[]): number {
  return games.reduce((sum, { outcome }) => sum + POINTS[outcome], 0)
}

/**
 * Places of a round robin: by points; then by the points from matches between those with equal points; then by the
 * Sonneborn-Berger score (the points of each opponent times the own points against that one); then by the difference of
 * scores; then by seed.
 */
function rankTable(rows: readonly Standing[], games: readonly Game[]): Standing[] {
  const points = new Map(rows.map((row) => [row.seed, row.points]))
  const keys = new Map(
    rows.map(({ seed, points: own, scoreDifference }) => {
      const played = games.filter((game) => game.seed === seed)
      const mutual = played.filter(({ opponent }) => points.get(opponent) === own)
      const sonneborn = played.reduce(
        (sum, { opponent, outcome }) => sum + POINTS[outcome] * (points.get(opponent) ?? 0),
        0,
      )
      return [seed, [own, pointsOf(mutual), sonneborn, scoreDifference, -seed]]
    }),
  )
  const better = (a: Standing, b: Standing) => compare(keys.get(b.seed) ?? [], keys.get(a.seed) ?? [])
  return rows.toSorted(better).map((row, index) => ({ ...row, place: index + 1 }))
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((value, index) => value - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0
}

/**
 * Places of a bracket: the winner of the final is first, and the loser of a round comes after all who got further. Those who
 * lost in the same round share the place, also where nobody won.
 */
function rankBracket(rows: readonly Standing[], pairings: readonly Pairing[]): Standing[] {
  const rounds = Math.max(0, ...pairings.map(({ round }) => round))
  const places = new Map<number, number>()
  for (const { round, seeds, status, winner } of pairings) {
    if (status !== 'decided') continue
    for (const seed of seeds) if (seed !== null && seed !== winner) places.set(seed, 2 ** (rounds - round) + 1)
    if (round === rounds && winner !== null) places.set(winner, 1)
  }
  const placed = rows.map((row) => ({ ...row, place: places.get(row.seed) ?? null }))
  return placed.toSorted((a, b) => (a.place ?? 0) - (b.place ?? 0) || a.seed - b.seed)
}
