import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drawBracket } from '../../src/modules/tournaments/draw/bracket.ts'
import {
  type Course,
  decide,
  isOver,
  MAX_MATCHES,
  settle,
  takeAbsence,
  takeNoResult,
  takeResult,
} from '../../src/modules/tournaments/draw/progress.ts'
import { drawRoundRobin } from '../../src/modules/tournaments/draw/round-robin.ts'
import { standingsOf } from '../../src/modules/tournaments/draw/standings.ts'
import type { Pairing, TournamentFormat } from '../../src/modules/tournaments/types.ts'

type Step = 'first' | 'second' | 'draw' | 'no result' | 'first absent' | 'second absent' | 'both absent' | 'withdraws'
const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step>(
      'first',
      'first',
      'second',
      'second',
      'draw',
      'no result',
      'first absent',
      'second absent',
      'both absent',
      'withdraws',
    ),
    fc.nat(1_000),
  ),
  { minLength: 1, maxLength: 40 },
)
const tournaments = fc.oneof(
  fc.record({
    format: fc.constant<TournamentFormat>('single-elimination'),
    players: fc.integer({ min: 4, max: 64 }),
    steps,
  }),
  fc.record({ format: fc.constant<TournamentFormat>('round-robin'), players: fc.integer({ min: 3, max: 16 }), steps }),
)

interface Running extends Course {
  readonly players: number
  readonly withdrawn: Set<number>
}

function start(format: TournamentFormat, players: number): Running {
  const pairings = format === 'round-robin' ? drawRoundRobin(players) : drawBracket(players)
  const course = { format, players, pairings, withdrawn: new Set<number>() }
  settle(course)
  return course
}

/** Begins the match of a ready pairing, as the server does. */
function begin(pairing: Pairing): void {
  if (pairing.status !== 'ready') throw new Error('the pairing is not ready')
  pairing.status = 'playing'
  pairing.matches += 1
}

function take(course: Running, pairing: Pairing, step: Step): void {
  const [first, second] = pairing.seeds
  if (first === null || second === null) throw new Error('a pairing that is played has two players')
  if (step === 'first') takeResult(course, pairing, first, [3, 1])
  else if (step === 'second') takeResult(course, pairing, second, [1, 3])
  else if (step === 'draw') takeResult(course, pairing, null, [2, 2])
  else if (step === 'no result') takeNoResult(course, pairing)
  else if (step === 'first absent') takeAbsence(pairing, new Set([second]))
  else if (step === 'second absent') takeAbsence(pairing, new Set([first]))
  else if (step === 'both absent') takeAbsence(pairing, new Set())
  else course.withdrawn.add(first)
  if (step === 'withdraws') takeAbsence(pairing, new Set(course.withdrawn.has(second) ? [] : [second]))
}

describe('whatever happens, a tournament', () => {
  test('comes to an end, and nobody has two matches at once', () => {
    fc.assert(
      fc.property(tournaments, ({ format, players, steps: script }) => {
        const course = start(format, players)
        for (let turn = 0; !isOver(course); turn++) {
          // Each pairing has a bounded number of matches.
          if (turn > course.pairings.length * MAX_MATCHES) throw new Error('it does not end')
          for (const pairing of course.pairings) if (pairing.status === 'ready') begin(pairing)
          const playing = course.pairings.filter(({ status }) => status === 'playing')
          const busy = playing.flatMap(({ seeds }) => seeds)
          if (new Set(busy).size !== busy.length) throw new Error('a player has two matches')
          const [step = 'first', chance = 0] = script[turn % script.length] ?? []
          const pairing = playing[chance % playing.length]
          if (!pairing) throw new Error('nothing is played, and it is not over')
          take(course, pairing, step)
          settle(course)
          const once = JSON.stringify(course.pairings)
          settle(course)
          if (JSON.stringify(course.pairings) !== once) throw new Error('settling twice is not the same as once')
        }
        const standings = standingsOf(format, players, course.pairings)
        expect(standings.length).toBe(players)
        expect(standings.every(({ place }) => place !== null && place >= 1 && place <= 2 ** 6)).toBe(true)
        expect(standings.filter(({ place }) => place === 1).length).toBeLessThanOrEqual(1)
        if (format === 'round-robin')
          expect(standings.map(({ place }) => place)).toEqual(standings.map((_, at) => at + 1))
      }),
      { numRuns: 200 },
    )
  })

  test('is won by the best seed where the better seed always wins, with places 2, 3, 5, 9 behind', () => {
    const course = start('single-elimination', 13)
    while (!isOver(course)) {
      for (const pairing of course.pairings.filter(({ status }) => status === 'ready')) {
        begin(pairing)
        takeResult(course, pairing, Math.min(...pairing.seeds.filter((seed) => seed !== null)), [1, 0])
      }
      settle(course)
    }
    const standings = standingsOf('single-elimination', 13, course.pairings)
    expect(standings.map(({ seed }) => seed)).toEqual(Array.from({ length: 13 }, (_, index) => index + 1))
    expect(standings.map(({ place }) => place)).toEqual([1, 2, 3, 3, 5, 5, 5, 5, 9, 9, 9, 9, 9])
  })
})

describe('a pairing of a bracket', () => {
  test('that is drawn is played again, and then the better seed goes on', () => {
    const course = start('single-elimination', 4)
    const [pairing] = course.pairings
    if (!pairing) throw new Error('no pairing')
    for (let match = 1; match < MAX_MATCHES; match++) {
      begin(pairing)
      takeResult(course, pairing, null, [0, 0])
      settle(course)
      expect(pairing).toMatchObject({ status: 'ready', matches: match })
    }
    begin(pairing)
    takeResult(course, pairing, null, [0, 0])
    expect(pairing).toMatchObject({ status: 'decided', winner: 1, decidedBy: 'seed' })
  })

  test('to which nobody came gives its place to nobody, and the next opponent goes on', () => {
    const course = start('single-elimination', 4)
    const [first, second, final] = course.pairings
    if (!first || !second || !final) throw new Error('no pairings')
    begin(first)
    takeAbsence(first, new Set())
    settle(course)
    expect(final).toMatchObject({ status: 'pending', seeds: [null, null] })
    begin(second)
    takeResult(course, second, 3, [0, 1])
    settle(course)
    expect(final).toMatchObject({ status: 'decided', winner: 3, decidedBy: 'bye', seeds: [null, 3] })
    const places = standingsOf('single-elimination', 4, course.pairings).map(({ seed, place }) => [seed, place])
    expect(places).toEqual([
      [3, 1],
      [1, 3],
      [2, 3],
      [4, 3],
    ])
  })

  test('whose player has withdrawn is won by the other one', () => {
    const course = start('single-elimination', 4)
    course.withdrawn.add(1)
    settle(course)
    expect(course.pairings[0]).toMatchObject({ status: 'decided', winner: 4, decidedBy: 'forfeit' })
  })
})

describe('the table of a round robin', () => {
  /** `results` by seeds: the scores of both. */
  function table(players: number, results: Readonly<Record<string, readonly [number, number]>>) {
    const course = start('round-robin', players)
    for (const pairing of course.pairings) {
      const [first, second] = pairing.seeds
      const own = results[`${first}-${second}`]
      const turned = results[`${second}-${first}`]
      const scores: [number, number] = own ? [own[0], own[1]] : turned ? [turned[1], turned[0]] : [0, 0]
      const winner = scores[0] === scores[1] ? null : scores[0] > scores[1] ? first : second
      decide(pairing, winner, 'result', scores)
    }
    return standingsOf('round-robin', players, course.pairings)
  }

  test('counts 2 for a win and 1 for a draw', () => {
    expect(table(3, { '1-2': [1, 0], '1-3': [2, 2], '2-3': [0, 5] })).toEqual([
      { seed: 3, place: 1, won: 1, drawn: 1, lost: 0, points: 3, scoreDifference: 5 },
      { seed: 1, place: 2, won: 1, drawn: 1, lost: 0, points: 3, scoreDifference: 1 },
      { seed: 2, place: 3, won: 0, drawn: 0, lost: 2, points: 0, scoreDifference: -6 },
    ])
  })

  test('ranks equal points by the matches between them', () => {
    // 1 and 2 have four points each, and 2 has beaten 1.
    const standings = table(4, {
      '1-2': [0, 1],
      '1-3': [9, 0],
      '1-4': [9, 0],
      '2-3': [1, 0],
      '2-4': [0, 1],
      '3-4': [0, 0],
    })
    expect(standings.map(({ seed }) => seed)).toEqual([2, 1, 4, 3])
  })

  test('then by Sonneborn-Berger, then by the difference of scores, then by seed', () => {
    // A circle of three: each has beaten one of the others, and their matches say nothing.
    const circle = { '1-2': [1, 0], '2-3': [1, 0], '3-1': [1, 0] } as const
    expect(table(3, circle).map(({ seed }) => seed)).toEqual([1, 2, 3])
    expect(table(3, { ...circle, '2-3': [4, 0] }).map(({ seed }) => seed)).toEqual([2, 1, 3])
    // 2 and 3 drew, and have three points each; 2 has them from a draw with the winner, 3 from the last one.
    const byOpponents = table(4, {
      '1-2': [1, 1],
      '1-3': [1, 0],
      '1-4': [1, 0],
      '2-3': [0, 0],
      '2-4': [0, 0],
      '3-4': [1, 0],
    })
    expect(byOpponents.map(({ seed, points }) => [seed, points])).toEqual([
      [1, 5],
      [2, 3],
      [3, 3],
      [4, 1],
    ])
  })

  test('has a forfeit of both as a loss of both', () => {
    const course = start('round-robin', 3)
    for (const pairing of course.pairings) takeAbsence(pairing, new Set())
    const standings = standingsOf('round-robin', 3, course.pairings)
    expect(standings.map(({ lost, points }) => [lost, points])).toEqual([
      [2, 0],
      [2, 0],
      [2, 0],
    ])
  })
})
