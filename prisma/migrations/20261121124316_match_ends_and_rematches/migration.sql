-- DropIndex
DROP INDEX "matches_status_created_at_idx";

-- DropIndex
DROP INDEX "matches_node_id_idx";

-- DropIndex
DROP INDEX "seats_user_id_match_id_idx";

-- AlterTable
ALTER TABLE "matches" ADD COLUMN     "rematch_id" TEXT,
ADD COLUMN     "rematch_of" TEXT,
ADD COLUMN     "reserved" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "start_version" INTEGER;

-- AlterTable
ALTER TABLE "seats" ADD COLUMN     "ended_at" TIMESTAMPTZ(3),
ADD COLUMN     "left_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "seats_user_id_ended_at_match_id_idx" ON "seats"("user_id", "ended_at", "match_id");


-- What Prisma's schema cannot say

-- What the lists of public matches are sorted by.
CREATE INDEX "matches_listed_idx" ON "matches"("status", "game", "created_at" DESC, "id" DESC)
  WHERE "visibility" = 'public' AND "mode" <> 'local';

-- Matches that are not over, for whoever looks after them.
CREATE INDEX "matches_open_idx" ON "matches"("status", "created_at") WHERE "status" IN ('waiting', 'live');
CREATE INDEX "matches_live_node_idx" ON "matches"("node_id") WHERE "status" = 'live';

-- A match has one rematch at a time.
CREATE UNIQUE INDEX "matches_open_rematch_key" ON "matches"("rematch_of") WHERE "status" IN ('waiting', 'live');

-- Matches whose end is shown to spectators later.
CREATE INDEX "matches_shown_later_idx" ON "matches"("finished_at")
  WHERE "options" ? 'spectatorDelayMs' AND "start_version" IS NOT NULL;

-- What is deleted after its time: aborted matches, and the inputs of finished ones.
CREATE INDEX "matches_aborted_idx" ON "matches"("finished_at") WHERE "status" = 'aborted';
CREATE INDEX "matches_replayable_idx" ON "matches"("finished_at") WHERE "inputs" IS NOT NULL;

-- seats.ended_at is a copy of matches.finished_at.
CREATE FUNCTION "copy_finished_at"() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN UPDATE seats SET ended_at = NEW.finished_at WHERE match_id = NEW.id; RETURN NULL; END $$;
CREATE TRIGGER "matches_finished_at" AFTER UPDATE OF "finished_at" ON "matches"
  FOR EACH ROW WHEN (NEW."finished_at" IS DISTINCT FROM OLD."finished_at") EXECUTE FUNCTION "copy_finished_at"();
CREATE FUNCTION "take_finished_at"() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN NEW.ended_at := (SELECT finished_at FROM matches WHERE id = NEW.match_id); RETURN NEW; END $$;
CREATE TRIGGER "seats_ended_at" BEFORE INSERT ON "seats" FOR EACH ROW EXECUTE FUNCTION "take_finished_at"();
UPDATE seats SET ended_at = finished_at FROM matches WHERE matches.id = seats.match_id AND finished_at IS NOT NULL;
