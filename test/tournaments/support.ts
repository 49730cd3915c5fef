import { expect } from 'vitest'
import { inTransaction } from '../../src/modules/scope.ts'
import { tournamentService } from '../../src/modules/tournaments/service.ts'
import { type Pairing, Tournament } from '../../src/modules/tournaments/types.ts'
import { follow } from '../matches/support.ts'
import type { Message, Stream, TestClient } from '../support/client.ts'
import type { Newcomer } from '../support/newcomers.ts'
import type { Rally } from '../support/server.ts'

/** Follows a tournament, and holds every event against its promise: one version more each time. */
export class TournamentFollower {
  readonly #stream: Stream<unknown, unknown>
  latest: Tournament

  constructor(stream: Stream<unknown, unknown>) {
    this.#stream = stream
    if (!('snapshot' in stream.opening)) throw new Error('a tournament has a snapshot')
    this.latest = Tournament.parse(stream.opening.snapshot)
    expect(stream.opening.seq).toBe(this.latest.version)
  }

  /** The tournament as it was first when it looked like this, now or at one of the next events. */
  async until(predicate: (tournament: Tournament) => boolean, deadlineMs = 10_000): Promise<Tournament> {
    const until = Date.now() + deadlineMs
    while (!predicate(this.latest)) {
      const event: Message<unknown> = await this.#stream.events
        .next(undefined, until - Date.now())
        .catch((error: unknown) => {
          throw new Error(`${String(error)}; last seen: ${JSON.stringify(this.latest)}`)
        })
      expect(event.error).toBeUndefined()
      const next = Tournament.parse(event.data)
      expect(next.version).toBe(event.seq)
      expect(next.version).toBe(this.latest.version + 1)
      this.latest = next
    }
    return this.latest
  }

  /** Once the pairing has this status. */
  async pairing(round: number, slot: number, status: Pairing['status'], deadlineMs?: number): Promise<Pairing> {
    const find = ({ pairings }: Tournament) => pairings.find((each) => each.round === round && each.slot === slot)
    const found = find(await this.until((tournament) => find(tournament)?.status === status, deadlineMs))
    if (!found) throw new Error('there is no such pairing')
    return found
  }
}

export async function followTournament(client: TestClient, tournamentId: string): Promise<TournamentFollower> {
  return new TournamentFollower(await client.subscribe('tournaments.onUpdate', { tournamentId }))
}

const CUP = { name: 'The Cup', game: 'connect-four', size: 8, format: 'single-elimination' }

export async function createTournament(client: TestClient, data: object = {}): Promise<Tournament> {
  return Tournament.parse(await client.call('tournaments.create', { ...CUP, ...data }))
}

/** A started tournament of these players, who joined in this order; the first one owns it. */
export async function startTournament(players: readonly Newcomer[], data: object = {}): Promise<TournamentFollower> {
  const [owner] = players
  if (!owner) throw new Error('nobody plays')
  const { id: tournamentId } = await createTournament(owner.client, data)
  for (const { client } of players) await client.call('tournaments.join', { tournamentId })
  const follower = await followTournament(owner.client, tournamentId)
  await owner.client.call('tournaments.start', { tournamentId })
  await follower.until(({ status }) => status === 'running')
  return follower
}

/** Does what is due in tournaments now, also while the job of the server does it. */
export function doDueWork({ app: { platform } }: Pick<Rally, 'app'>): Promise<void> {
  const { use, log } = platform
  const own = { use, log: log.of('tournaments'), stopping: new AbortController().signal }
  return inTransaction(platform, (scope) => use(tournamentService).doDueWork(Object.assign(scope, own)))
}

/** Waits until the match is live, and has this player give it up. */
export async function giveUp({ client }: Pick<Newcomer, 'client'>, matchId: string | null): Promise<void> {
  await (await follow(client, matchId ?? '')).live()
  await client.call('matches.leave', { matchId })
}
