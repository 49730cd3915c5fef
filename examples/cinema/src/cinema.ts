import { channel, method, module, type Scope, type Statement, service, statement, subscription, z } from 'rally/server'

const Seat = z.object({ seat: z.number().int(), status: z.enum(['free', 'held', 'booked']) })
const Show = z.object({ id: z.string(), title: z.string(), version: z.number().int(), seats: z.array(Seat) })
type Show = z.infer<typeof Show>
const ShowId = z.string().min(1).max(40)

const IS_HELD = 'NOT booked AND held_until > now()'
const READ = statement<Show>(
  'cinema.read',
  `SELECT id, title, version, (SELECT json_agg(json_build_object('seat', seat, 'status',
     CASE WHEN booked THEN 'booked' WHEN ${IS_HELD} THEN 'held' ELSE 'free' END) ORDER BY seat)
   FROM cinema_seats WHERE show_id = id) AS seats FROM cinema_shows WHERE id = $1`,
)
/** Changes seats and the version of their shows. Values: show, seat, user. */
const change = (name: string, set: string, where: string) =>
  statement<{ id: string }>(
    `cinema.${name}`,
    `WITH changed AS (UPDATE cinema_seats SET ${set} WHERE ${where} RETURNING show_id)
     UPDATE cinema_shows SET version = version + 1 WHERE id IN (SELECT show_id FROM changed) RETURNING id`,
  )
const ONE = 'show_id = $1 AND seat = $2 AND NOT booked'
const OWN = `${ONE} AND user_id = $3 AND held_until > now()`
const TAKEABLE = `${ONE} AND (user_id IS NULL OR user_id = $3 OR held_until <= now())`
const HOLD = change('hold', "user_id = $3, held_until = now() + interval '2 minutes'", TAKEABLE)
const RELEASE = change('release', 'user_id = NULL, held_until = NULL', OWN)
const BOOK = change('book', 'booked = true', OWN)
const FREE = change('free', 'user_id = NULL, held_until = NULL', 'NOT booked AND held_until <= now()')

const seatsOf = (showId: string) => channel<Show>('cinema.onSeats', showId)

const cinemaService = service('cinema', ({ hub }) => ({
  read: ({ sql }: Pick<Scope, 'sql'>, showId: string): Promise<Show | null> => sql.first(READ, [showId]),
  /** Tells everybody who looks at the shows. Their rows stay locked until the commit, so versions come in order. */
  async change(scope: Scope, how: Statement<{ id: string }>, values: readonly unknown[] = []): Promise<Show[]> {
    const rows = await scope.sql.rows(how, values)
    const shows = (await Promise.all(rows.map(({ id }) => this.read(scope, id)))).filter((show) => show !== null)
    scope.afterCommit(() => {
      for (const show of shows) hub.publish(seatsOf(show.id), show.version, show)
    })
    return shows
  },
}))

const limit = { points: 600, perSeconds: 60 }
const writing = { access: 'user', effect: 'write', scope: 'play', limit } as const
/** A write of a user to a seat. It fails with `code` where the seat is not as the statement wants it. */
const write = <const Code extends string>(summary: string, how: Statement<{ id: string }>, code: Code) =>
  method({
    ...writing,
    summary,
    input: z.object({ showId: ShowId, seat: z.number().int().min(1).max(1_000) }),
    output: Show,
    errors: [code],
    async handle({ ctx, input: { showId, seat }, fail }) {
      const [show] = await ctx.use(cinemaService).change(ctx, how, [showId, seat, ctx.user.id])
      if (!show) throw fail(code)
      return show
    },
  })
const looking = { access: 'anyone', limit, input: z.object({ showId: ShowId }), errors: ['NOT_FOUND'] } as const
const getOne = method({
  ...looking,
  summary: 'Answers a show with its seats.',
  effect: 'read',
  output: Show,
  async handle({ ctx, input, fail }) {
    return (await ctx.use(cinemaService).read(ctx, input.showId)) ?? Promise.reject(fail('NOT_FOUND'))
  },
})
const hold = write('Keeps a seat for two minutes.', HOLD, 'SEAT_TAKEN')
const release = write('Gives a seat back that the user holds.', RELEASE, 'NOT_HELD')
const book = write('Books a seat that the user holds.', BOOK, 'NOT_HELD')
const onSeats = subscription({
  ...looking,
  summary: 'Sends a show whenever one of its seats changes.',
  delivery: 'reliable',
  event: Show,
  async open({ ctx, input, fail }) {
    const show = await ctx.use(cinemaService).read(ctx, input.showId)
    if (!show) throw fail('NOT_FOUND')
    return { channel: seatsOf(show.id), seq: show.version, snapshot: show }
  },
})

export const cinema = module({
  name: 'cinema',
  service: cinemaService,
  methods: { getOne, hold, release, book },
  subscriptions: { onSeats },
  jobs: {
    freeExpired: {
      everyMs: 1_000,
      runsOn: 'one node',
      run: async (ctx) => void (await ctx.use(cinemaService).change(ctx, FREE)),
    },
  },
})
