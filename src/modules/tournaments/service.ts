import { randomUUID } from 'node:crypto'
import { type Sql, statement } from '../../db/sql.ts'
import { type Opened, RpcError } from '../../rpc/index.ts'
import { lockUser, lockUsers } from '../auth/index.ts'
import { checkOptions, type EndedMatch, matchService, offeredGame, ratingsIn } from '../matches/index.ts'
import { beforeTime, type PageRequest, readPage } from '../pages.ts'
import type { JobContext } from '../periodic-jobs.ts'
import { type Platform, service } from '../platform.ts'
import type { Scope } from '../scope.ts'
import type { UserId } from '../wire.ts'
import { deleteOld } from './cleanup.ts'
import { begin, ORIGIN, takeEnd, withdraw } from './course.ts'
import { doDueWork } from './due-work.ts'
import {
  changeIfKept,
  changeTournament,
  notFound,
  toEntrant,
  toTournament,
  tournamentChannel,
} from './tournament-feed.ts'
import { insertTournament, LIST, LIST_OF_USER, type NewTournament, readTournament } from './tournament-rows.ts'
import { TOURNAMENT_SIZES, type Tournament, TournamentId, type TournamentStatus } from './types.ts'

/** Values: user. How many tournaments that are not over the user owns, and in how many the user takes part. */
const COUNT_OF_USER = statement<{ owned: number; joined: number }>(
  'tournaments.countOfUser',
  `SELECT count(*) FILTER (WHERE owner_id = $1) AS owned, count(entrant.number) AS joined
   FROM tournaments LEFT JOIN tournament_entrants AS entrant
     ON tournament_id = tournaments.id AND user_id = $1 AND NOT withdrawn
   WHERE status IN ('open', 'running') AND (owner_id = $1
     OR id IN (SELECT tournament_id FROM tournament_entrants WHERE user_id = $1))`,
)

/** Values: user. */
const EXPORT = statement<{ tournaments: unknown }>(
  'tournaments.export',
  `SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'game', game, 'status', status,
     'isOwner', owner_id IS NOT DISTINCT FROM $1, 'takesPart', number IS NOT NULL, 'seed', seed, 'withdrawn', withdrawn,
     'hasWon', seed = winner_seed, 'createdAt', created_at) ORDER BY created_at), '[]') AS tournaments
   FROM tournaments LEFT JOIN tournament_entrants ON tournament_id = tournaments.id AND user_id = $1
   WHERE owner_id = $1 OR user_id = $1`,
)

interface Player {
  readonly id: UserId
}

/**
 * Tournaments for users. Their state is rows: requests and the ends of matches change them, and the job `doDueWork` does what
 * is due. No node keeps anything of a tournament in memory. Locks are taken in one order: users, matches, tournaments.
 */
export class TournamentService {
  readonly #platform: Platform

  constructor(platform: Platform) {
    this.#platform = platform
    const { hooks } = platform.use(matchService)
    hooks.onResult((scope, ended) => this.#takeEnd(scope, ended))
    hooks.onAborted((scope, ended) => this.#takeEnd(scope, ended))
  }

  /** @throws RpcError VALIDATION_FAILED for the game, its options or the size, TOO_MANY_TOURNAMENTS */
  async create(scope: Scope, user: Player, wanted: Omit<NewTournament, 'options'> & { options?: unknown }) {
    const { name, format, size } = wanted
    const game = offeredGame(this.#platform.games, wanted.game)
    if (game.seats !== 2) throw invalid('game', 'A tournament is of a game for two')
    const { min, max } = TOURNAMENT_SIZES[format]
    if (size < min || size > max) throw invalid('size', `From ${min} to ${max}`)
    const options = checkOptions(game, wanted.options ?? {})
    if ('spectatorDelayMs' in options) {
      throw invalid('options.spectatorDelayMs', 'A tournament shows its results at once')
    }
    const { owned } = await this.#countOf(scope, user)
    if (owned >= this.#platform.config.tournaments.maxActive) throw tooMany()
    const id = TournamentId.parse(randomUUID())
    await insertTournament(scope.sql, id, { name, game: game.name, format, size, options }, user.id)
    const row = await readTournament(scope.sql, id)
    if (!row) throw notFound()
    return toTournament(row)
  }

  /**
   * Takes part in an open tournament. For a user who does already nothing changes.
   *
   * @throws RpcError NOT_FOUND, TOURNAMENT_CLOSED, TOURNAMENT_FULL, TOO_MANY_TOURNAMENTS
   */
  async join(scope: Scope, user: Player, id: TournamentId): Promise<Tournament> {
    const { joined } = await this.#countOf(scope, user)
    return changeTournament(this.#platform.hub, scope, id, (row) => {
      if (row.entrants.some(({ userId }) => userId === user.id)) return
      if (row.status !== 'open') throw closed('Nobody can join it any more')
      if (row.entrants.length >= row.size) throw new RpcError('TOURNAMENT_FULL', 'Every place is taken')
      if (joined >= this.#platform.config.tournaments.maxActive) throw tooMany()
      const number = Math.max(0, ...row.entrants.map((entrant) => entrant.number)) + 1
      // The names are read when it is stored.
      row.entrants.push({ number, userId: user.id, username: null, displayName: '', seed: null, withdrawn: false })
    })
  }

  /**
   * Takes part no more. In a running tournament the user gives up a match that has begun or is announced, and loses all later
   * ones.
   *
   * @throws RpcError NOT_FOUND, also for a user who does not take part; TOURNAMENT_CLOSED when it is over
   */
  async leave(scope: Scope, user: Player, id: TournamentId): Promise<Tournament> {
    const seen = await readTournament(scope.sql, id)
    const own = seen?.entrants.find(({ userId }) => userId === user.id)
    if (!seen || !own) throw new RpcError('NOT_FOUND', 'You do not take part')
    const matches = this.#platform.use(matchService)
    const open = await matches.openMatchesOf(scope, user.id)
    const current = seen.pairings.find(({ matchId }) => matchId !== null && open.includes(matchId))
    if (current?.matchId) await matches.leave(scope, user.id, current.matchId)
    return changeTournament(this.#platform.hub, scope, id, (row) => {
      if (row.status === 'open') row.entrants = row.entrants.filter(({ userId }) => userId !== user.id)
      else if (row.status === 'running') withdraw(row, [user.id])
      else throw closed('This tournament is over')
    })
  }

  /**
   * Gives the seeds and draws the pairings. Players who are banned or gone take part no more.
   *
   * @throws RpcError NOT_FOUND, FORBIDDEN, TOURNAMENT_CLOSED, TOO_FEW_PLAYERS
   */
  async begin(scope: Scope, user: Player, id: TournamentId): Promise<Tournament> {
    const seen = await readTournament(scope.sql, id)
    if (!seen) throw notFound()
    const userIds = seen.entrants.flatMap(({ userId }) => userId ?? [])
    const present = await lockUsers(scope.sql, userIds)
    const absent = new Set(userIds.filter((userId) => !present.has(userId)))
    const ratings = await ratingsIn(scope.sql, seen.game, userIds)
    return changeTournament(this.#platform.hub, scope, id, (row) => {
      forbidOthers(row, user)
      if (row.status !== 'open') throw closed('It has started, or was cancelled')
      row.entrants = row.entrants.filter(({ userId }) => userId !== null && !absent.has(userId))
      const { min } = TOURNAMENT_SIZES[row.format]
      if (row.entrants.length < min) throw new RpcError('TOO_FEW_PLAYERS', `It takes ${min} players or more`)
      begin(row, ratings)
    })
  }

  /** Ends it without a winner. Matches that are played go on. @throws RpcError NOT_FOUND, FORBIDDEN, TOURNAMENT_CLOSED */
  cancel(scope: Scope, user: Player, id: TournamentId): Promise<Tournament> {
    return changeTournament(this.#platform.hub, scope, id, (row) => {
      forbidOthers(row, user)
      if (row.status !== 'open' && row.status !== 'running') throw closed('This tournament is over')
      Object.assign(row, { status: 'cancelled', endReason: 'owner', finishedAt: Date.now() })
    })
  }

  async find(id: TournamentId): Promise<Tournament | null> {
    const row = await readTournament(this.#platform.database.sql, id)
    return row && toTournament(row)
  }

  /** The tournament, and the channel of its changes; null when there is none. */
  async follow(id: TournamentId): Promise<Opened<Tournament, Tournament> | null> {
    const tournament = await this.find(id)
    return tournament && { channel: tournamentChannel(id), seq: tournament.version, snapshot: tournament }
  }

  /** The newest first; with `user` those that the user owns or takes part in. Without a status those that are not over. */
  list(page: PageRequest & { status?: TournamentStatus | undefined }, user: Player | null) {
    const statuses = page.status ? [page.status] : ['open', 'running']
    return readPage(page, {
      read: async (rows) => {
        const values = [statuses, ...beforeTime(rows), rows.take]
        const { sql } = this.#platform.database
        return user ? sql.rows(LIST_OF_USER, [...values, user.id]) : sql.rows(LIST, values)
      },
      key: ({ summary }) => ({ rank: summary.createdAt, id: summary.id }),
      item: ({ summary }) => ({ ...summary, winner: summary.winner && toEntrant(summary.winner) }),
    })
  }

  doDueWork(ctx: JobContext): Promise<void> {
    return doDueWork(this.#platform, ctx)
  }

  deleteOld({ sql }: Scope): Promise<void> {
    return deleteOld(sql, this.#platform.config.replayDays)
  }

  async exportOf(userId: string, sql: Sql): Promise<unknown> {
    return (await sql.first(EXPORT, [userId]))?.tournaments ?? []
  }

  async #takeEnd(scope: Scope, ended: EndedMatch): Promise<void> {
    if (!ended.origin?.startsWith(ORIGIN)) return
    const id = ended.origin.slice(ORIGIN.length)
    // The match may be kept longer than its tournament: its end must not fail.
    await changeIfKept(this.#platform.hub, scope, id, (row) => takeEnd(row, ended))
  }

  /** Locks the user's row, so that nothing that counts for the user changes until the end of the transaction. */
  async #countOf({ sql }: Scope, { id }: Player): Promise<{ owned: number; joined: number }> {
    const [, count] = await Promise.all([lockUser(sql, id), sql.first(COUNT_OF_USER, [id])])
    return count ?? { owned: 0, joined: 0 }
  }
}

export const tournamentService = service('tournaments', (platform) => new TournamentService(platform))

function forbidOthers({ owner }: Pick<Tournament, 'owner'>, { id }: Player): void {
  if (owner?.userId !== id) throw new RpcError('FORBIDDEN', 'Only its owner can do this')
}

function closed(message: string): RpcError {
  return new RpcError('TOURNAMENT_CLOSED', message)
}

function tooMany(): RpcError {
  return new RpcError('TOO_MANY_TOURNAMENTS', 'First another one of yours has to be over')
}

function invalid(path: string, message: string): RpcError {
  return new RpcError('VALIDATION_FAILED', message, { issues: [{ path, message }] })
}
