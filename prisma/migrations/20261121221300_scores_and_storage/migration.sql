-- CreateEnum
CREATE TYPE "LeaderboardPeriod" AS ENUM ('day', 'week', 'all');

-- CreateEnum
CREATE TYPE "StorageVisibility" AS ENUM ('private', 'public');

-- CreateTable
CREATE TABLE "leaderboards" (
    "id" SERIAL NOT NULL,
    "game_mode" TEXT NOT NULL,
    "period" "LeaderboardPeriod" NOT NULL,
    "starts_on" DATE NOT NULL,
    "seq" BIGINT NOT NULL DEFAULT 0,
    "closed" BOOLEAN NOT NULL DEFAULT false,
    "created_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "leaderboards_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "leaderboard_entries" (
    "leaderboard_id" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "score_id" BIGINT NOT NULL,
    "score" BIGINT NOT NULL,
    "scored_at" TIMESTAMPTZ(3) NOT NULL,
    "player_name" TEXT,
    "coins" INTEGER NOT NULL,
    "enemies_defeated" INTEGER NOT NULL,
    "distance" DOUBLE PRECISION NOT NULL,
    "level" INTEGER NOT NULL,

    CONSTRAINT "leaderboard_entries_pkey" PRIMARY KEY ("leaderboard_id","user_id")
);

-- CreateTable
CREATE TABLE "leaderboard_counts" (
    "leaderboard_id" INTEGER NOT NULL,
    "level" SMALLINT NOT NULL,
    "node" BIGINT NOT NULL,
    "slot" SMALLINT NOT NULL,
    "entries" INTEGER NOT NULL,

    CONSTRAINT "leaderboard_counts_pkey" PRIMARY KEY ("leaderboard_id","level","node","slot")
);

-- CreateTable
CREATE TABLE "scores" (
    "id" BIGSERIAL NOT NULL,
    "user_id" TEXT NOT NULL,
    "game_mode" TEXT NOT NULL,
    "score" BIGINT NOT NULL,
    "player_name" TEXT,
    "coins" INTEGER NOT NULL,
    "enemies_defeated" INTEGER NOT NULL,
    "distance" DOUBLE PRECISION NOT NULL,
    "level" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "scores_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "boss_defeats" (
    "user_id" TEXT NOT NULL,
    "boss" TEXT NOT NULL,
    "times" INTEGER NOT NULL DEFAULT 1,
    "first_defeated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_defeated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "boss_defeats_pkey" PRIMARY KEY ("user_id","boss")
);

-- CreateTable
CREATE TABLE "stored_values" (
    "id" BIGSERIAL NOT NULL,
    "user_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "bytes" INTEGER NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "visibility" "StorageVisibility" NOT NULL DEFAULT 'private',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stored_values_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "leaderboards_created_by_idx" ON "leaderboards"("created_by");

-- CreateIndex
CREATE UNIQUE INDEX "leaderboards_game_mode_period_starts_on_key" ON "leaderboards"("game_mode", "period", "starts_on");

-- CreateIndex
CREATE INDEX "leaderboard_entries_user_id_idx" ON "leaderboard_entries"("user_id");

-- CreateIndex
CREATE INDEX "scores_user_id_game_mode_score_id_idx" ON "scores"("user_id", "game_mode", "score" DESC, "id");

-- CreateIndex
CREATE INDEX "stored_values_user_id_created_at_id_idx" ON "stored_values"("user_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "stored_values_user_id_key_key" ON "stored_values"("user_id", "key");

-- AddForeignKey
ALTER TABLE "leaderboards" ADD CONSTRAINT "leaderboards_created_by_fkey" FOREIGN KEY ("created_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "leaderboard_entries" ADD CONSTRAINT "leaderboard_entries_leaderboard_id_fkey" FOREIGN KEY ("leaderboard_id") REFERENCES "leaderboards"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "leaderboard_entries" ADD CONSTRAINT "leaderboard_entries_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "leaderboard_counts" ADD CONSTRAINT "leaderboard_counts_leaderboard_id_fkey" FOREIGN KEY ("leaderboard_id") REFERENCES "leaderboards"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "scores" ADD CONSTRAINT "scores_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "boss_defeats" ADD CONSTRAINT "boss_defeats_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stored_values" ADD CONSTRAINT "stored_values_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The order of a leaderboard: highest score first, of equal ones the earliest. All columns ascend, so that a page can begin
-- anywhere by comparing rows.
CREATE INDEX "leaderboard_entries_order_idx" ON "leaderboard_entries"("leaderboard_id", (-"score"), "scored_at", "score_id");
-- Scores under a name that is no username.
CREATE INDEX "scores_player_name_idx" ON "scores"(lower("player_name"), "score" DESC) WHERE "player_name" IS NOT NULL;

-- Counts change often and in place: room in a page keeps such an update out of the index.
ALTER TABLE "leaderboard_counts" SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- Adds `deltas` to the counts of these scores, on all levels. Counts are locked in one order, so that concurrent changes do not
-- deadlock. A connection uses one slot.
CREATE FUNCTION "change_leaderboard_counts"("boards" int[], "points" bigint[], "deltas" int[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO leaderboard_counts AS counted (leaderboard_id, level, node, slot, entries)
  SELECT board, level, point >> (32 - 8 * level), pg_backend_pid() % 8, sum(delta)
  FROM unnest(boards, points, deltas) AS change (board, point, delta)
    JOIN leaderboards ON leaderboards.id = board AND NOT closed, generate_series(0, 4) AS level
  GROUP BY 1, 2, 3 HAVING sum(delta) <> 0 ORDER BY 1, 2, 3
  ON CONFLICT (leaderboard_id, level, node, slot) DO UPDATE SET entries = counted.entries + EXCLUDED.entries
$$;

-- Keeps leaderboard_counts equal to leaderboard_entries.
CREATE FUNCTION "count_leaderboard_entries"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM change_leaderboard_counts(array_agg(leaderboard_id), array_agg(score), array_agg(1)) FROM added;
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM change_leaderboard_counts(array_agg(leaderboard_id), array_agg(score), array_agg(-1)) FROM removed;
  ELSE
    PERFORM change_leaderboard_counts(array_agg(leaderboard_id), array_agg(score), array_agg(delta))
    FROM (SELECT leaderboard_id, score, 1 AS delta FROM added UNION ALL SELECT leaderboard_id, score, -1 FROM removed) AS changed;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "leaderboard_entries_added" AFTER INSERT ON "leaderboard_entries" REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "count_leaderboard_entries"();
CREATE TRIGGER "leaderboard_entries_removed" AFTER DELETE ON "leaderboard_entries" REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION "count_leaderboard_entries"();
CREATE TRIGGER "leaderboard_entries_changed" AFTER UPDATE ON "leaderboard_entries"
  REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "count_leaderboard_entries"();
