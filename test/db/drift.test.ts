import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { diffSchemas } from '../../scripts/schema-diff.ts'
import { MIGRATIONS_DIR } from '../../src/db/migrate.ts'
import { createEmptyTestDatabase, createTestDatabase, type TestDatabase } from '../support/database.ts'
import { execute } from '../support/postgres.ts'

const schema = await readFile(fileURLToPath(new URL('../../prisma/schema.prisma', import.meta.url)), 'utf8')

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** What a database consists of, a line each: columns, constraints, indexes, enums, sequences, triggers. */
async function describeDatabase(url: string): Promise<string[]> {
  const { rows } = await execute(
    url,
    `SELECT format('column %s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END, pg_get_expr(d.adbin, d.adrelid)) AS line
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
       LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
      WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> '_prisma_migrations'
     UNION ALL
     SELECT format('constraint %s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> coalesce(to_regclass('_prisma_migrations'), 0)
     UNION ALL
     SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'
     UNION ALL
     SELECT format('enum %s %s', enumtypid::regtype, enumlabel) FROM pg_enum
     UNION ALL
     SELECT 'sequence ' || sequencename FROM pg_sequences
     UNION ALL
     SELECT format('trigger %s.%s', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal
     ORDER BY 1`,
  )
  return rows.map(({ line }) => line)
}

test('the migrations together make what schema.prisma says, and the listed additions', async () => {
  await using wanted = await createEmptyTestDatabase()
  const script = await diffSchemas(undefined, schema)
  await execute(wanted.url, script ?? '')
  const [inSchema, inDatabase] = await Promise.all([describeDatabase(wanted.url), describeDatabase(database.url)])
  expect(inSchema.length).toBeGreaterThan(50)
  const advice = 'run npm run migration -- <name>'
  expect(
    inSchema.filter((line) => !inDatabase.includes(line)),
    advice,
  ).toEqual([])
  expect(
    inDatabase.filter((line) => !inSchema.includes(line)),
    advice,
  ).toEqual([
    "constraint users.users_username_check CHECK ((username ~ '^[a-z0-9_]{3,20}$'::text))",
    'index CREATE INDEX leaderboard_entries_order_idx ON public.leaderboard_entries USING btree (leaderboard_id, ((- score)), scored_at, score_id)',
    'index CREATE INDEX matches_aborted_idx ON public.matches USING btree (finished_at) WHERE (status = \'aborted\'::"MatchStatus")',
    'index CREATE INDEX matches_listed_idx ON public.matches USING btree (status, game, created_at DESC, id DESC) WHERE ((visibility = \'public\'::"MatchVisibility") AND (mode <> \'local\'::"MatchMode"))',
    'index CREATE INDEX matches_live_node_idx ON public.matches USING btree (node_id) WHERE (status = \'live\'::"MatchStatus")',
    'index CREATE INDEX matches_open_idx ON public.matches USING btree (status, created_at) WHERE (status = ANY (ARRAY[\'waiting\'::"MatchStatus", \'live\'::"MatchStatus"]))',
    'index CREATE INDEX matches_replayable_idx ON public.matches USING btree (finished_at) WHERE (inputs IS NOT NULL)',
    "index CREATE INDEX matches_shown_later_idx ON public.matches USING btree (finished_at) WHERE ((options ? 'spectatorDelayMs'::text) AND (start_version IS NOT NULL))",
    'index CREATE INDEX queue_entries_waiting_idx ON public.queue_entries USING btree (game, since, user_id) WHERE (status = \'waiting\'::"QueueStatus")',
    "index CREATE INDEX scores_player_key_idx ON public.scores USING btree (player_key, score DESC, id) WHERE (player_key <> ''::text)",
    'index CREATE UNIQUE INDEX matches_open_rematch_key ON public.matches USING btree (rematch_of) WHERE (status = ANY (ARRAY[\'waiting\'::"MatchStatus", \'live\'::"MatchStatus"]))',
    'index CREATE UNIQUE INDEX matches_waiting_code_key ON public.matches USING btree (code) WHERE (status = \'waiting\'::"MatchStatus")',
    'trigger audit_log.audit_log_append_only',
    'trigger leaderboard_entries.leaderboard_entries_added',
    'trigger leaderboard_entries.leaderboard_entries_changed',
    'trigger leaderboard_entries.leaderboard_entries_removed',
    'trigger matches.matches_finished_at',
    'trigger presence.presence_departures',
    'trigger seats.seats_ended_at',
  ])
})

test('the schema kept beside the migrations is the one they lead to', async () => {
  const last = await readFile(join(MIGRATIONS_DIR, 'schema.prisma'), 'utf8')
  expect(await diffSchemas(last, schema)).toBeUndefined()
})

test('every migration can be one transaction', async () => {
  const names = (await readdir(MIGRATIONS_DIR)).filter((name) => /^\d/.test(name))
  expect(names.length).toBeGreaterThan(0)
  for (const name of names) {
    const script = await readFile(join(MIGRATIONS_DIR, name, 'migration.sql'), 'utf8')
    expect(script, name).not.toMatch(/^\s*(BEGIN|COMMIT|ROLLBACK|VACUUM)\b|\bCONCURRENTLY\b/im)
  }
})

test.each([
  ['a name in capitals', "INSERT INTO users VALUES ('a', 'Ada', 'Ada', 'k', '')", 'users_username_check'],
  ['a name too short', "INSERT INTO users VALUES ('a', 'ab', 'ab', 'k', '')", 'users_username_check'],
  ['a name too long', `INSERT INTO users VALUES ('a', '${'a'.repeat(21)}', 'a', 'k', '')`, 'users_username_check'],
  ['a name on two lines', "INSERT INTO users VALUES ('a', E'ada\\n', 'ada', 'k', '')", 'users_username_check'],
])('the database refuses %s', async (_, statement, constraint) => {
  await expect(execute(database.url, statement)).rejects.toThrow(constraint)
})

test('a join code leads to one waiting match, and is free again when that is over', async () => {
  const match = (id: string, status: string) =>
    execute(
      database.url,
      `INSERT INTO matches (id, game, mode, status, code, options, seed, rules_version, created_by)
       VALUES ('${id}', 'pong', 'casual', '${status}', 'ABCD', '{}', 1, 1, 'u')`,
    )
  await match('1', 'finished')
  await match('2', 'waiting')
  await expect(match('3', 'waiting')).rejects.toThrow('matches_waiting_code_key')
  await execute(database.url, "UPDATE matches SET status = 'live' WHERE id = '2'")
  await match('3', 'waiting')
})
