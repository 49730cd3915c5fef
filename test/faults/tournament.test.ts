import { afterAll, expect, test } from 'vitest'
import { type PongInput, pong } from '../../src/games/pong/index.ts'
import type { Tournament, TournamentId } from '../../src/modules/tournaments/types.ts'
import { clientOf, type PongPlay, type RallyClient } from '../netcode/players.ts'
import { startCluster } from '../nodes/cluster.ts'
import { within } from '../support/client.ts'
import { register } from '../support/server.ts'
import { figure } from './figure.ts'

// A tournament of 16 programs on two nodes, which nobody helps: once in peace, and once while a node dies.

const PLAYERS = 16
/** Longer than a node takes to come back. */
const ENVIRONMENT = { TOURNAMENT_NO_SHOW_MS: '20000', TOURNAMENT_COUNTDOWN_MS: '300' }
const FRAME_MS = 16
const FINISH_MS = 45_000

const cluster = startCluster(ENVIRONMENT, 2)
const programs: Program[] = []
afterAll(() => {
  for (const program of programs) program.stop()
})

/** A player who follows a tournament and plays what is announced: the better seed as the bot does, the other one away from the ball. */
class Program {
  readonly client: RallyClient
  readonly userId: string
  latest: Tournament | undefined
  readonly problems: string[] = []
  #play: PongPlay | undefined
  #matchId: string | undefined
  #held: PongInput['move'] = 0
  readonly #frames: NodeJS.Timeout
  #unfollow = () => {}
  #finished = (_: Tournament) => {}

  constructor(client: RallyClient, userId: string) {
    this.client = client
    this.userId = userId
    this.#frames = setInterval(() => this.#frame(), FRAME_MS)
  }

  /** Takes part until the end. Resolves with the tournament as it is then. */
  playIn(tournamentId: TournamentId): Promise<Tournament> {
    this.#unfollow()
    this.latest = undefined
    const finished = new Promise<Tournament>((resolve) => {
      this.#finished = resolve
    })
    this.#unfollow = this.client.tournaments.onUpdate(
      { tournamentId },
      {
        next: (tournament, { kind }) => {
          if (kind === 'event' && tournament.version !== (this.latest?.version ?? 0) + 1) {
            this.problems.push(`version ${tournament.version} after ${this.latest?.version}`)
          }
          this.#follow(tournament)
        },
        error: (error) => void this.problems.push(error.message),
      },
    )
    return finished
  }

  stop(): void {
    clearInterval(this.#frames)
    this.#play?.stop()
    this.client.close()
  }

  get #pairing() {
    const seed = this.latest?.entrants.find(({ userId }) => userId === this.userId)?.seed ?? 0
    return this.latest?.pairings.find(({ status, seeds }) => status === 'playing' && seeds.includes(seed))
  }

  #follow(tournament: Tournament): void {
    this.latest = tournament
    if (tournament.status === 'finished') this.#finished(tournament)
    const { matchId } = this.#pairing ?? {}
    if (!matchId || matchId === this.#matchId) return
    this.#play?.stop()
    this.#matchId = matchId
    this.#held = 0
    this.#play = this.client.play(matchId, pong)
  }

  #frame(): void {
    const [seat] = this.#play?.seats ?? []
    const state = this.#play?.frame(performance.now())
    const { seeds = [] } = this.#pairing ?? {}
    if (!state || seat === undefined) return
    const isBetter = (seeds[seat] ?? 0) < (seeds[1 - seat] ?? 0)
    const { move: toBall } = pong.bot(state, seat)
    const move = isBetter ? toBall : toBall === 1 ? -1 : 1
    if (move === this.#held) return
    this.#held = move
    this.#play?.input({ move })
  }
}

async function startTournament(): Promise<{ id: TournamentId; finished: Promise<Tournament[]> }> {
  const [owner] = programs
  if (!owner) throw new Error('nobody plays')
  const created = await owner.client.tournaments.create({
    name: 'Programs only',
    game: 'pong',
    size: PLAYERS,
    format: 'single-elimination',
    options: { pointsToWin: 1 },
  })
  for (const { client } of programs) await client.tournaments.join({ tournamentId: created.id })
  const finished = Promise.all(programs.map((program) => program.playIn(created.id)))
  await owner.client.tournaments.start({ tournamentId: created.id })
  return { id: created.id, finished: within(finished, 'the end of the tournament', FINISH_MS) }
}

/** Everybody saw the same end, each pairing was won by a player who came, and each loser lost once. */
function check(ends: readonly Tournament[]): Tournament {
  const [end] = ends
  if (!end) throw new Error('nobody saw the end')
  for (const each of ends) expect(each).toEqual(end)
  expect(programs.flatMap(({ problems }) => problems)).toEqual([])
  expect(end.pairings.map(({ decidedBy }) => decidedBy)).toEqual(end.pairings.map(() => 'result'))
  expect(end.pairings.length).toBe(PLAYERS - 1)
  expect(end.standings.map(({ place }) => place)).toEqual([1, 2, 3, 3, 5, 5, 5, 5, 9, 9, 9, 9, 9, 9, 9, 9])
  expect(end.standings.map(({ lost }) => lost)).toEqual([0, ...Array.from({ length: PLAYERS - 1 }, () => 1)])
  expect(end.winner?.seed).toBe(end.standings[0]?.seed)
  return end
}

test('of 16 programs on two nodes runs itself to a winner', async () => {
  for (let n = 0; n < PLAYERS; n++) {
    const url = cluster.url(n % 2)
    const player = await register(url, `program_${n}`)
    programs.push(new Program(clientOf(url, player, { backoff: { minMs: 50, maxMs: 500 } }), player.id))
  }
  const begunAt = performance.now()
  const { finished } = await startTournament()
  const end = check(await finished)
  expect(end.pairings.every(({ matches }) => matches === 1)).toBe(true)
  figure('a tournament of 16 programs', (performance.now() - begunAt) / 1000, 's')
})

test('of 16 programs outlives the kill -9 of a node, which comes back', async () => {
  const begunAt = performance.now()
  const { id, finished } = await startTournament()
  // In the second round, a node that runs a match of it.
  const live = { origin: `tournament:${id}`, status: 'live' } as const
  const running = async () => {
    const match = await cluster.db.match.findFirst({ where: { ...live, pairing: { round: 2 } } })
    return cluster.nodes.find((_, n) => programs[n]?.client.welcome?.node === match?.nodeId)
  }
  const node = await expect.poll(running, { timeout: 30_000, interval: 50 }).toBeDefined().then(running)
  if (!node) throw new Error('no node runs a match')
  await node.end('SIGKILL')
  await node.start()
  const end = check(await finished)
  // What the node ran was played again.
  expect(end.pairings.some(({ matches }) => matches > 1)).toBe(true)
  figure('a tournament of 16 programs and a node that dies', (performance.now() - begunAt) / 1000, 's')
})
