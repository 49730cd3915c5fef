-- CreateEnum
CREATE TYPE "QueueStatus" AS ENUM ('idle', 'waiting', 'matched');

-- AlterTable
ALTER TABLE "seats" ADD COLUMN     "rating_after" INTEGER,
ADD COLUMN     "rating_before" INTEGER;

-- CreateTable
CREATE TABLE "ratings" (
    "user_id" TEXT NOT NULL,
    "game" TEXT NOT NULL,
    "rating" DOUBLE PRECISION NOT NULL,
    "deviation" DOUBLE PRECISION NOT NULL,
    "volatility" DOUBLE PRECISION NOT NULL,
    "played" INTEGER NOT NULL,
    "won" INTEGER NOT NULL,
    "standing" INTEGER NOT NULL,
    "rated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ratings_pkey" PRIMARY KEY ("user_id","game")
);

-- CreateTable
CREATE TABLE "rating_changes" (
    "user_id" TEXT NOT NULL,
    "game" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "match_id" TEXT NOT NULL,
    "rating" INTEGER NOT NULL,
    "deviation" INTEGER NOT NULL,

    CONSTRAINT "rating_changes_pkey" PRIMARY KEY ("user_id","game","at","match_id")
);

-- CreateTable
CREATE TABLE "queue_entries" (
    "user_id" TEXT NOT NULL,
    "game" TEXT NOT NULL,
    "status" "QueueStatus" NOT NULL,
    "rating" DOUBLE PRECISION NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "enqueued_at" TIMESTAMPTZ(3) NOT NULL,
    "away_since" TIMESTAMPTZ(3),
    "match_id" TEXT,
    "matched_at" TIMESTAMPTZ(3),
    "waited_ms" INTEGER,
    "seq" BIGINT NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "queue_entries_pkey" PRIMARY KEY ("user_id")
);

-- CreateIndex
CREATE INDEX "ratings_game_standing_user_id_idx" ON "ratings"("game", "standing", "user_id");

-- CreateIndex
CREATE INDEX "rating_changes_at_idx" ON "rating_changes"("at");

-- CreateIndex
CREATE INDEX "queue_entries_match_id_idx" ON "queue_entries"("match_id");

-- CreateIndex
CREATE INDEX "queue_entries_game_matched_at_idx" ON "queue_entries"("game", "matched_at");

-- AddForeignKey
ALTER TABLE "ratings" ADD CONSTRAINT "ratings_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "rating_changes" ADD CONSTRAINT "rating_changes_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "queue_entries" ADD CONSTRAINT "queue_entries_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Who waits, the longest waiting first.
CREATE INDEX "queue_entries_waiting_idx" ON "queue_entries"("game", "since", "user_id") WHERE "status" = 'waiting';
