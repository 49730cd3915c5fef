/** Somebody who waits for a ranked match. */
export interface Waiting {
  readonly userId: string
  readonly rating: number
  /** How long the player has waited, ms. */
  readonly waitedMs: number
}

const FIRST_WINDOW = 50
const WIDER_A_SECOND = 25
const WIDEST_WINDOW = 500

/** The largest difference of ratings that a player accepts after waiting for so long, ms. */
export function windowAfter(waitedMs: number): number {
  return Math.min(WIDEST_WINDOW, FIRST_WINDOW + (WIDER_A_SECOND * Math.max(0, waitedMs)) / 1000)
}

/**
 * Finds players for matches. The player who has waited longest chooses first, and gets those with the nearest ratings. Any two
 * players of a match differ by no more than both of their windows. In matches of two, players whom this leaves out are paired
 * too where others can change their partners.
 *
 * @param waiting players of one game, the longest waiting first
 * @param size how many a match has, at least 2
 */
export function findGroups<Player extends Waiting>(waiting: readonly Player[], size: number): Player[][] {
  const byRating = [...waiting].sort((a, b) => a.rating - b.rating)
  const line = new Line(byRating)
  const places = new Map(byRating.map((player, place) => [player, place]))
  let groups: number[][] = []
  for (const first of waiting) {
    const place = places.get(first)
    if (place === undefined || line.isTaken(place)) continue
    const group = groupAround(byRating, line, place, size)
    if (group.length < size) continue
    for (const taken of group) line.take(taken)
    groups.push(group)
  }
  if (size === 2) groups = pairWhoIsLeft(byRating, line, groups)
  return groups.map((group) => group.flatMap((place) => byRating[place] ?? []))
}

/**
 * Pairs players who are left, two that follow one another in the order of ratings at a time: everybody from the one to the other
 * is paired with a neighbour. With windows of one size, no more matches are possible.
 */
function pairWhoIsLeft(players: readonly Waiting[], line: Line, pairs: readonly number[][]): number[][] {
  const partners = new Map(pairs.flatMap(([a = -1, b = -1]) => [[a, b] as const, [b, a] as const]))
  let first: number | undefined
  for (const [last] of players.entries()) {
    if (line.isTaken(last)) continue
    if (first === undefined || !canPairNeighbours(players, partners, first, last)) {
      first = last
      continue
    }
    for (let place = first; place < last; place += 2) {
      partners.set(place, place + 1)
      partners.set(place + 1, place)
    }
    first = undefined
  }
  return Array.from(partners).filter(([place, partner]) => place < partner)
}

/** Whether nobody between the two has a partner beyond them, and each is near enough to the next. */
function canPairNeighbours(
  players: readonly Waiting[],
  partners: ReadonlyMap<number, number>,
  first: number,
  last: number,
): boolean {
  for (let place = first + 1; place < last; place++) {
    const partner = partners.get(place) ?? -1
    if (partner < first || partner > last) return false
  }
  for (let place = first; place < last; place += 2) if (!fits(players[place], players[place + 1])) return false
  return true
}

/** The places of a player and of the nearest others who fit; fewer than `size` when there are not so many. */
function groupAround(players: readonly Waiting[], line: Line, place: number, size: number): number[] {
  const first = players[place]
  const group = [place]
  if (!first) return group
  const window = windowAfter(first.waitedMs)
  const distance = (other: number) => Math.abs((players[other]?.rating ?? Number.POSITIVE_INFINITY) - first.rating)
  let below = line.before(place)
  let above = line.after(place)
  while (group.length < size) {
    const isBelow = distance(below) <= distance(above)
    const next = isBelow ? below : above
    if (distance(next) > window) break
    if (group.every((other) => fits(players[other], players[next]))) group.push(next)
    if (isBelow) below = line.before(below)
    else above = line.after(above)
  }
  return group
}

function fits(a: Waiting | undefined, b: Waiting | undefined): boolean {
  if (!a || !b) return false
  return Math.abs(a.rating - b.rating) <= Math.min(windowAfter(a.waitedMs), windowAfter(b.waitedMs))
}

/** Places in a row, of which some are taken. Those that are free know their free neighbours. */
class Line {
  readonly #before: number[]
  readonly #after: number[]
  readonly #taken: boolean[]

  constructor({ length }: readonly unknown[]) {
    this.#before = Array.from({ length }, (_, place) => place - 1)
    this.#after = Array.from({ length }, (_, place) => place + 1)
    this.#taken = Array.from({ length }, () => false)
  }

  isTaken(place: number): boolean {
    return this.#taken[place] ?? true
  }

  /** -1 when there is none. */
  before(place: number): number {
    return this.#before[place] ?? -1
  }

  /** The length of the line when there is none. */
  after(place: number): number {
    return this.#after[place] ?? this.#after.length
  }

  take(place: number): void {
    const before = this.before(place)
    const after = this.after(place)
    this.#taken[place] = true
    if (before >= 0) this.#after[before] = after
    if (after < this.#before.length) this.#before[after] = before
  }
}
