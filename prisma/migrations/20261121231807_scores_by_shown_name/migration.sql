-- DropIndex
DROP INDEX "leaderboard_entries_user_id_idx";

-- DropIndex
DROP INDEX "scores_user_id_game_mode_score_id_idx";

-- AlterTable
ALTER TABLE "leaderboard_entries" DROP CONSTRAINT "leaderboard_entries_pkey",
ADD COLUMN     "player_key" TEXT NOT NULL DEFAULT '',
ADD CONSTRAINT "leaderboard_entries_pkey" PRIMARY KEY ("user_id", "player_key", "leaderboard_id");

-- AlterTable
ALTER TABLE "scores" ADD COLUMN     "player_key" TEXT NOT NULL DEFAULT '';

-- CreateIndex
CREATE INDEX "scores_user_id_player_key_game_mode_score_id_idx" ON "scores"("user_id", "player_key", "game_mode", "score" DESC, "id");

-- No release has these tables without the column, so earlier versions need not run on it.
UPDATE "leaderboard_entries" SET "player_key" = lower("player_name") WHERE "player_name" IS NOT NULL;
UPDATE "scores" SET "player_key" = lower("player_name") WHERE "player_name" IS NOT NULL;

-- Scores under a name that is no username.
DROP INDEX "scores_player_name_idx";
CREATE INDEX "scores_player_key_idx" ON "scores"("player_key", "score" DESC, "id") WHERE "player_key" <> '';

-- An account had one entry: the best kept score of each of its other names gets one, too.
INSERT INTO "leaderboard_entries"
  ("leaderboard_id", "user_id", "player_key", "score_id", "score", "scored_at", "player_name", "coins", "enemies_defeated", "distance", "level")
SELECT DISTINCT ON (board.id, kept.user_id, kept.player_key) board.id, kept.user_id, kept.player_key, kept.id, kept.score, kept.created_at,
  kept.player_name, kept.coins, kept.enemies_defeated, kept.distance, kept.level
FROM "scores" AS kept JOIN "leaderboards" AS board ON board.game_mode = kept.game_mode AND NOT board.closed AND (
  board.period = 'all' OR (kept.created_at AT TIME ZONE 'UTC')::date - board.starts_on BETWEEN 0 AND CASE board.period WHEN 'day' THEN 0 ELSE 6 END)
ORDER BY board.id, kept.user_id, kept.player_key, kept.score DESC, kept.id
ON CONFLICT DO NOTHING;
