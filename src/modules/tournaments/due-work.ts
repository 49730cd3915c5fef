import { statement } from '../../db/sql.ts'
import { PROBABLY_DEAD_MS } from '../../engine/index.ts'
import { RpcError } from '../../rpc/index.ts'
import { isBannedAt } from '../auth/index.ts'
import { matchService } from '../matches/index.ts'
import type { JobContext } from '../periodic-jobs.ts'
import type { Platform } from '../platform.ts'
import { inTransaction, type Scope } from '../scope.ts'
import type { MatchId } from '../wire.ts'
import { announce, ORIGIN, type PairingPlace, pairingAt, withdraw } from './course.ts'
import { changeTournament } from './tournament-feed.ts'
import type { CancelReason } from './types.ts'

/** How much one run does of each kind. The next one goes on. */
const BATCH = 50
/** A run begins nothing more after this, because its own transaction waits. */
const RUN_MS = 3_000
/** An open tournament is cancelled after this. */
const OPEN_DAYS = 7

/** A pairing whose match is to be made. */
interface Due extends PairingPlace {
  readonly id: string
  readonly game: string
  readonly options: Readonly<Record<string, unknown>>
  /** Of both players; null for one who is gone. */
  readonly userIds: readonly [string | null, string | null]
}

/** Without those of players who have a match in another tournament: a user plays one at a time. */
const READY = statement<Due>(
  'tournaments.ready',
  `SELECT tournaments.id, game, options, round, slot, ARRAY[first.user_id, second.user_id] AS "userIds"
   FROM tournament_pairings AS pairing
   JOIN tournaments ON tournaments.id = pairing.tournament_id AND tournaments.status = 'running'
   JOIN tournament_entrants AS first ON first.tournament_id = tournaments.id AND first.seed = first_seed
   JOIN tournament_entrants AS second ON second.tournament_id = tournaments.id AND second.seed = second_seed
   WHERE pairing.status = 'ready' AND NOT EXISTS (
     SELECT FROM tournament_entrants AS entrant
     JOIN tournament_pairings AS other ON other.tournament_id = entrant.tournament_id AND other.status = 'playing'
       AND entrant.seed IN (other.first_seed, other.second_seed)
     JOIN tournaments AS running ON running.id = other.tournament_id AND running.status = 'running'
     WHERE entrant.user_id IN (first.user_id, second.user_id))
   ORDER BY started_at, tournaments.id, round, slot LIMIT ${BATCH}`,
)

/**
 * Announced matches to which players did not come in time. While no node has been up for so long there are none, because players
 * could not come, but where one of them has withdrawn. Values: how long they have, ms.
 */
const UNBEGUN = statement<{ matchId: MatchId }>(
  'tournaments.unbegun',
  `SELECT match_id AS "matchId" FROM tournament_pairings AS pairing
   JOIN tournaments ON tournaments.id = tournament_id AND tournaments.status IN ('running', 'cancelled')
   JOIN matches ON matches.id = match_id AND matches.status = 'waiting' AND matches.starts_at IS NULL
   WHERE pairing.status = 'playing' AND come_by < now() AND (EXISTS (
     SELECT FROM nodes
     WHERE started_at < now() - $1 * interval '1 ms' AND heartbeat_at > now() - interval '${PROBABLY_DEAD_MS} milliseconds')
   OR EXISTS (
     SELECT FROM tournament_entrants AS entrant WHERE entrant.tournament_id = pairing.tournament_id AND entrant.withdrawn
       AND entrant.seed IN (first_seed, second_seed)))
   ORDER BY come_by LIMIT ${BATCH}`,
)

/** Open ones that nobody will start: their owners are gone or banned, or they were never started. */
const UNSTARTED = statement<{ id: string; endReason: CancelReason }>(
  'tournaments.unstarted',
  `SELECT tournaments.id,
     CASE WHEN tournaments.created_at < now() - interval '${OPEN_DAYS} days' THEN 'not-started' ELSE 'owner-gone' END AS "endReason"
   FROM tournaments LEFT JOIN users ON users.id = owner_id
   WHERE status = 'open' AND (tournaments.created_at < now() - interval '${OPEN_DAYS} days' OR users.id IS NULL
     OR ${isBannedAt('now()')})
   ORDER BY tournaments.created_at LIMIT ${BATCH}`,
)

/** The row is not what the query has seen: there is nothing to do any more. */
class Outdated extends Error {}

/**
 * Makes the matches that can be played, ends announced matches to which players did not come, and cancels what nobody will
 * start. What is due is a query, and each step is a transaction of its own that looks again. So a run can end anywhere, and
 * the next one, on any node, goes on.
 */
export async function doDueWork(platform: Platform, { sql, log, stopping }: JobContext): Promise<void> {
  const until = performance.now() + RUN_MS
  const matches = platform.use(matchService)

  async function each<T>(due: readonly T[], step: (scope: Scope, one: T) => Promise<void>): Promise<void> {
    for (const one of due) {
      if (stopping.aborted || performance.now() > until) return
      await inTransaction(platform, (scope) => step(scope, one)).catch((error: unknown) => {
        if (!(error instanceof Outdated)) log.warn({ err: error }, 'a step of a tournament failed, and is tried again')
      })
    }
  }

  await each(await sql.rows(UNBEGUN, [platform.config.tournaments.noShowMs]), async (scope, { matchId }) => {
    await matches.abort(scope, matchId, 'no-show', 'unbegun')
  })
  await each(await sql.rows(UNSTARTED), (scope, { id, endReason }) => cancel(platform, scope, id, 'open', endReason))
  const playing = new Set<string | null>()
  await each(await sql.rows(READY), async (scope, due) => {
    if (due.userIds.some((userId) => playing.has(userId))) return
    await makeMatch(platform, scope, due)
    for (const userId of due.userIds) if (userId !== null) playing.add(userId)
  })
}

/** Opens the match of a pairing with both players in their seats, and asks them to come. */
async function makeMatch(platform: Platform, scope: Scope, due: Due): Promise<void> {
  const { id, game, options } = due
  const matches = platform.use(matchService)
  const userIds = due.userIds.filter((userId) => userId !== null)
  const { noShowMs, countdownMs } = platform.config.tournaments
  const shared = { mode: 'casual', visibility: 'public', origin: `${ORIGIN}${id}`, countdownMs } as const
  const wanted = { ...shared, game, options, userIds }
  const { match, absent } =
    userIds.length < due.userIds.length
      ? { match: null, absent: [null] }
      : await matches.seatPlayers(scope, wanted).catch((error: unknown) => {
          // This server does not offer the game with these options any more.
          if (error instanceof RpcError && error.code === 'VALIDATION_FAILED') return { match: null, absent: [] }
          throw error
        })
  if (!match && absent.length === 0) return cancel(platform, scope, id, 'running', 'game-gone')
  const comeBy = Date.now() + noShowMs
  await changeTournament(platform.hub, scope, id, (row) => {
    const pairing = pairingAt(row, due)
    if (row.status !== 'running' || pairing?.status !== 'ready') throw new Outdated()
    if (match) announce(pairing, match.id, comeBy)
    else withdraw(row, absent)
  })
  if (!match) return
  const expiresAt = new Date(comeBy)
  const asks = userIds.map((userId) => ({
    matchId: match.id,
    userId,
    from: null,
    reason: 'tournament' as const,
    expiresAt,
  }))
  await matches.invites.askAll(scope, asks)
}

async function cancel(
  { hub }: Platform,
  scope: Scope,
  id: string,
  status: 'open' | 'running',
  endReason: CancelReason,
): Promise<void> {
  await changeTournament(hub, scope, id, (row) => {
    if (row.status !== status) throw new Outdated()
    Object.assign(row, { status: 'cancelled', endReason, finishedAt: Date.now() })
  })
}
