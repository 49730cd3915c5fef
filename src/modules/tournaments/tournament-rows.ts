import { msOf, type Sql, statement } from '../../db/sql.ts'
import type { Entrant, Pairing, Tournament, TournamentId, TournamentSummary } from './types.ts'

/** Somebody who takes part, as stored. */
export interface EntrantRow extends Entrant {
  /** Counts up in the order of joining. */
  readonly number: number
}

/** A tournament as stored, with its entrants in the order of joining, and its pairings by round and slot. */
export interface TournamentRow extends Omit<Tournament, 'standings' | 'entrants' | 'winner'> {
  winnerSeed: number | null
  entrants: EntrantRow[]
}

/** SQL: an entrant as JSON, of the table `entrant` and its `player` of `users`, who may be gone. */
const ENTRANT = `json_build_object('number', entrant.number, 'userId', player.id, 'username', player.username,
  'displayName', coalesce(player.display_name, 'Deleted player'), 'seed', entrant.seed, 'withdrawn', entrant.withdrawn)`

/** Before the start somebody whose account is deleted does not take part any more. */
const ENTRANTS = `tournament_entrants AS entrant LEFT JOIN users AS player ON player.id = entrant.user_id
  WHERE entrant.tournament_id = tournaments.id AND (player.id IS NOT NULL OR tournaments.started_at IS NOT NULL)`

const SUMMARY = `'id', id, 'name', name, 'game', game, 'format', format, 'size', size, 'options', options, 'status', status,
  'owner', (SELECT json_build_object('userId', users.id, 'username', username, 'displayName', display_name)
    FROM users WHERE users.id = owner_id),
  'entrantCount', (SELECT count(*) FROM ${ENTRANTS}),
  'createdAt', ${msOf('created_at')}, 'startedAt', ${msOf('started_at')}, 'finishedAt', ${msOf('finished_at')},
  'endReason', end_reason`

const READ = statement<{ row: TournamentRow }>(
  'tournaments.read',
  `SELECT json_build_object(${SUMMARY}, 'version', version, 'winnerSeed', winner_seed,
     'entrants', (SELECT coalesce(json_agg(${ENTRANT} ORDER BY entrant.number), '[]') FROM ${ENTRANTS}),
     'pairings', (SELECT coalesce(json_agg(json_build_object('round', round, 'slot', slot,
         'seeds', json_build_array(first_seed, second_seed), 'status', pairing.status, 'winner', pairing.winner_seed,
         'decidedBy', decided_by, 'matchId', match_id, 'matches', matches, 'comeBy', ${msOf('come_by')},
         'scores', CASE WHEN first_score IS NOT NULL THEN json_build_array(first_score, second_score) END)
       ORDER BY round, slot), '[]') FROM tournament_pairings AS pairing WHERE tournament_id = tournaments.id)) AS row
   FROM tournaments WHERE id = $1`,
)

const LOCK = statement('tournaments.lock', 'SELECT 1 FROM tournaments WHERE id = $1 FOR NO KEY UPDATE')

/** Values: id, name, game, format, size, options, owner. */
const INSERT = statement(
  'tournaments.insert',
  `INSERT INTO tournaments (id, name, game, format, size, options, owner_id)
   VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)`,
)

/** Values: id, status, seed of the winner, started at, finished at, reason. */
const UPDATE = statement(
  'tournaments.update',
  `UPDATE tournaments SET version = version + 1, status = $2, winner_seed = $3, started_at = to_timestamp($4::float8 / 1000),
     finished_at = to_timestamp($5::float8 / 1000), end_reason = $6 WHERE id = $1`,
)

/** Values: tournament, numbers of the entrants to keep. It removes those too whose accounts were deleted before the start. */
const REMOVE_ENTRANTS = statement(
  'tournaments.removeEntrants',
  'DELETE FROM tournament_entrants WHERE tournament_id = $1 AND NOT number = ANY($2::int[])',
)

/** Values: tournament, entrants as JSON. */
const PUT_ENTRANTS = statement(
  'tournaments.putEntrants',
  `INSERT INTO tournament_entrants (tournament_id, number, user_id, seed, withdrawn)
   SELECT $1, number, "userId", seed, withdrawn
   FROM jsonb_to_recordset($2::jsonb) AS put (number int, "userId" text, seed int, withdrawn boolean)
   ON CONFLICT (tournament_id, number) DO UPDATE SET seed = excluded.seed, withdrawn = excluded.withdrawn`,
)

/** Values: tournament, pairings as JSON. */
const PUT_PAIRINGS = statement(
  'tournaments.putPairings',
  `INSERT INTO tournament_pairings (tournament_id, round, slot, first_seed, second_seed, status, winner_seed, decided_by,
     first_score, second_score, match_id, matches, come_by)
   SELECT $1, round, slot, (seeds ->> 0)::int, (seeds ->> 1)::int, status, winner, "decidedBy", (scores ->> 0)::int,
     (scores ->> 1)::int, "matchId", matches, to_timestamp("comeBy" / 1000)
   FROM jsonb_to_recordset($2::jsonb) AS put (round int, slot int, seeds jsonb, status "PairingStatus", winner int,
     "decidedBy" "PairingDecision", scores jsonb, "matchId" text, matches int, "comeBy" float8)
   ON CONFLICT (tournament_id, round, slot) DO UPDATE SET first_seed = excluded.first_seed,
     second_seed = excluded.second_seed, status = excluded.status, winner_seed = excluded.winner_seed,
     decided_by = excluded.decided_by, first_score = excluded.first_score, second_score = excluded.second_score,
     match_id = excluded.match_id, matches = excluded.matches, come_by = excluded.come_by`,
)

/** Values: statuses, after (time, id), how many. */
const list = (name: string, condition: string) =>
  statement<{ summary: Omit<TournamentSummary, 'winner'> & { winner: EntrantRow | null } }>(
    `tournaments.${name}`,
    `SELECT json_build_object(${SUMMARY}, 'winner', (SELECT ${ENTRANT} FROM ${ENTRANTS} AND seed = winner_seed)) AS summary
     FROM tournaments
     WHERE status = ANY($1::"TournamentStatus"[]) AND (created_at, id) < ($2::timestamptz, $3::text) AND ${condition}
     ORDER BY created_at DESC, id DESC LIMIT $4`,
  )

export const LIST = list('list', 'true')
/** Values: those of `LIST`, then the user. */
export const LIST_OF_USER = list(
  'listOfUser',
  '(owner_id = $5 OR id IN (SELECT tournament_id FROM tournament_entrants WHERE user_id = $5))',
)

/** A tournament as it is; null when there is none. */
export async function readTournament(sql: Sql, id: string): Promise<TournamentRow | null> {
  return (await sql.first(READ, [id]))?.row ?? null
}

/** As `readTournament`. The row is locked until the end of the transaction, and its entrants and pairings with it. */
export async function lockTournament(sql: Sql, id: string): Promise<TournamentRow | null> {
  await sql.first(LOCK, [id])
  return readTournament(sql, id)
}

/** What is asked for when a tournament is created. */
export type NewTournament = Pick<Tournament, 'name' | 'game' | 'format' | 'size' | 'options'>

export async function insertTournament(
  sql: Sql,
  id: TournamentId,
  created: NewTournament,
  ownerId: string,
): Promise<void> {
  const { name, game, format, size, options } = created
  await sql.rows(INSERT, [id, name, game, format, size, JSON.stringify(options), ownerId])
}

/** Stores what differs between two states of a locked tournament as one new version, and reads it as stored. */
export async function updateTournament(sql: Sql, before: TournamentRow, after: TournamentRow): Promise<TournamentRow> {
  const { id, status, winnerSeed, startedAt, finishedAt, endReason } = after
  const pairings = changed(before.pairings, after.pairings)
  const entrants = changed(before.entrants, after.entrants)
  const staying = new Set(after.entrants.map(({ number }) => number))
  // Without new ones: they may have the number of a player whose account is deleted.
  const kept = before.entrants.flatMap(({ number }) => (staying.has(number) ? number : []))
  const [, stored] = await Promise.all([
    Promise.all([
      sql.rows(UPDATE, [id, status, winnerSeed, startedAt, finishedAt, endReason]),
      before.status === 'open' && sql.rows(REMOVE_ENTRANTS, [id, kept]),
      entrants.length > 0 && sql.rows(PUT_ENTRANTS, [id, JSON.stringify(entrants)]),
      pairings.length > 0 && sql.rows(PUT_PAIRINGS, [id, JSON.stringify(pairings)]),
    ]),
    readTournament(sql, id),
  ])
  if (!stored) throw new Error('a tournament that was locked is gone')
  return stored
}

function changed<T extends Pairing | EntrantRow>(before: readonly T[], after: readonly T[]): T[] {
  const known = new Set(before.map((each) => JSON.stringify(each)))
  return after.filter((each) => !known.has(JSON.stringify(each)))
}
